/* The settings: what each variable accepts, what is said when it is not understood, and the table itself. */
#include "unit.h"

#include "options.h"

#include <ctype.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WARNINGS_MAX = 8 };

static struct cg_options options;
static char warnings[WARNINGS_MAX][600];
static int warned;

static void note(const char *line, void *context)
{
	ck_assert_ptr_eq(context, &warned);
	ck_assert_int_lt(warned, WARNINGS_MAX);
	ck_assert_ptr_null(strchr(line, '\n'));
	snprintf(warnings[warned++], sizeof(warnings[0]), "%s", line);
}

static void read_list(char **list)
{
	memset(&options, 0xAA, sizeof(options));
	warned = 0;
	cg_options_read(list, &options, note, &warned);
}

#define READ(...) read_list((char *[]){__VA_ARGS__, NULL})

static void refused_with(const char *wanted)
{
	ck_assert_int_eq(warned, 1);
	ck_assert_str_eq(warnings[0], wanted);
}

START_TEST(defaults)
{
	READ("PATH=/bin", "HOME=/");
	ck_assert_int_eq(warned, 0);
	ck_assert(options.on && options.thread && options.follow && options.suppress);
	ck_assert_int_eq(options.format, CG_FORMAT_TEXT);
	ck_assert_int_eq(options.stacks, CG_STACKS_FULL);
	ck_assert_uint_eq(options.depth, 32);
	ck_assert_int_eq(options.signal, 0);
	ck_assert_int_eq(options.exitcode, 0);
	ck_assert_uint_eq(options.warn_after_ns, 30000000000);
	ck_assert_uint_eq(options.interval_ns, 1000000000);
	ck_assert_str_eq(options.policy, "");
	ck_assert_str_eq(options.log, "stderr");
	ck_assert_str_eq(options.dir, "");
	ck_assert_uint_eq(options.log_mode, 0600);
	ck_assert_str_eq(options.app, "test_options");
	ck_assert_uint_eq(options.from_environment, 0);
}
END_TEST

START_TEST(every_setting_is_read)
{
	READ("CLOSEGUARD=off", "CLOSEGUARD_POLICY=/p.cfg", "CLOSEGUARD_APP=shop", "CLOSEGUARD_LOG=logs/%e.%p",
	     "CLOSEGUARD_FORMAT=json", "CLOSEGUARD_WARN_AFTER=500ms", "CLOSEGUARD_INTERVAL=5m", "CLOSEGUARD_STACKS=fp",
	     "CLOSEGUARD_DEPTH=64", "CLOSEGUARD_THREAD=off", "CLOSEGUARD_SIGNAL=USR2", "CLOSEGUARD_EXITCODE=99",
	     "CLOSEGUARD_FOLLOW=off", "CLOSEGUARD_DIR=run/here", "CLOSEGUARD_LOG_MODE=0640", "CLOSEGUARD_SUPPRESS=off");
	ck_assert_int_eq(warned, 0);
	ck_assert(!options.on && !options.thread && !options.follow && !options.suppress);
	ck_assert_str_eq(options.policy, "/p.cfg");
	ck_assert_str_eq(options.app, "shop");
	ck_assert_str_eq(options.log, "logs/%e.%p");
	ck_assert_int_eq(options.format, CG_FORMAT_JSON);
	ck_assert_uint_eq(options.warn_after_ns, 500000000);
	ck_assert_uint_eq(options.interval_ns, 300000000000);
	ck_assert_int_eq(options.stacks, CG_STACKS_FP);
	ck_assert_uint_eq(options.depth, 64);
	ck_assert_int_eq(options.signal, SIGUSR2);
	ck_assert_int_eq(options.exitcode, 99);
	ck_assert_str_eq(options.dir, "run/here");
	ck_assert_uint_eq(options.log_mode, 0640);
	ck_assert_uint_eq(options.from_environment, (1u << CG_OPT_COUNT) - 1);
}
END_TEST

START_TEST(a_bad_value_gives_one_line_and_the_default)
{
	READ("CLOSEGUARD_WARN_AFTER=5 parsecs");
	refused_with("CLOSEGUARD_WARN_AFTER: \"5 parsecs\" is not a duration such as 500ms, 10s, 5m, 1h; using 30s");
	ck_assert_uint_eq(options.warn_after_ns, 30000000000);
	READ("CLOSEGUARD=maybe");
	refused_with("CLOSEGUARD: \"maybe\" is not on or off; using on");
	ck_assert(options.on);
	READ("CLOSEGUARD_FORMAT=xml");
	refused_with("CLOSEGUARD_FORMAT: \"xml\" is not text or json; using text");
	READ("CLOSEGUARD_STACKS=all");
	refused_with("CLOSEGUARD_STACKS: \"all\" is not full, fp or off; using full");
	READ("CLOSEGUARD_SIGNAL=KILL");
	refused_with("CLOSEGUARD_SIGNAL: \"KILL\" is not a signal to spare such as USR2; using none");
	ck_assert_int_eq(options.signal, 0);
}
END_TEST

START_TEST(limits)
{
	const char *bad[] = {"CLOSEGUARD_INTERVAL=9ms", "CLOSEGUARD_INTERVAL=61m",  "CLOSEGUARD_INTERVAL=0",
	                     "CLOSEGUARD_DEPTH=0",      "CLOSEGUARD_DEPTH=65",      "CLOSEGUARD_DEPTH=-1",
	                     "CLOSEGUARD_EXITCODE=256", "CLOSEGUARD_EXITCODE=-1",   "CLOSEGUARD_THREAD=1",
	                     "CLOSEGUARD_FOLLOW= on",   "CLOSEGUARD_DEPTH=16 fine", "CLOSEGUARD_WARN_AFTER=30"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		READ((char *)bad[i]);
		ck_assert_msg(warned == 1, "%s", bad[i]);
		ck_assert_msg(strncmp(warnings[0], bad[i], strcspn(bad[i], "=")) == 0, "%s", warnings[0]);
	}
	ck_assert_uint_eq(options.depth, 32);
	READ("CLOSEGUARD_INTERVAL=10ms", "CLOSEGUARD_DEPTH=1", "CLOSEGUARD_WARN_AFTER=0");
	ck_assert_int_eq(warned, 0);
	ck_assert_uint_eq(options.interval_ns, 10000000);
	ck_assert_uint_eq(options.depth, 1);
	ck_assert_uint_eq(options.warn_after_ns, 0);
	READ("CLOSEGUARD_INTERVAL=1h");
	ck_assert_uint_eq(options.interval_ns, 3600000000000);
}
END_TEST

static int signal_of(const char *value)
{
	char entry[64];
	snprintf(entry, sizeof(entry), "CLOSEGUARD_SIGNAL=%s", value);
	READ(entry);
	return warned ? -1 : options.signal;
}

START_TEST(signals)
{
	char number[16];
	ck_assert_int_eq(signal_of("USR2"), SIGUSR2);
	ck_assert_int_eq(signal_of("SIGUSR2"), SIGUSR2);
	ck_assert_int_eq(signal_of("HUP"), SIGHUP);
	ck_assert_int_eq(signal_of("QUIT"), SIGQUIT);
	ck_assert_int_eq(signal_of("none"), 0);
	ck_assert_int_eq(signal_of("RTMIN"), SIGRTMIN);
	ck_assert_int_eq(signal_of("RTMIN+3"), SIGRTMIN + 3);
	ck_assert_int_eq(signal_of("SIGRTMIN+3"), SIGRTMIN + 3);
	ck_assert_int_eq(signal_of("RTMAX"), SIGRTMAX);
	ck_assert_int_eq(signal_of("SIGRTMAX-2"), SIGRTMAX - 2);
	snprintf(number, sizeof(number), "%d", SIGUSR1);
	ck_assert_int_eq(signal_of(number), SIGUSR1);
	snprintf(number, sizeof(number), "%d", SIGRTMAX);
	ck_assert_int_eq(signal_of(number), SIGRTMAX);
}
END_TEST

START_TEST(signals_that_cannot_dump)
{
	const char *bad[] = {"KILL", "SIGKILL", "STOP",       "SEGV",    "BUS",      "FPE",    "ILL",
	                     "TRAP", "ABRT",    "SYS",        "CHLD",    "PIPE",     "TERM",   "INT",
	                     "9",    "11",      "19",         "0",       "32",       "33",     "65",
	                     "-1",   "RTMIN-1", "RTMIN+99",   "RTMAX+1", "RTMAX-99", "RTMIN+", "RTMIN3",
	                     "USR3", "SIG",     "SIGSIGUSR1", "USR2 ",   "10x"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(signal_of(bad[i]) == -1 && options.signal == 0, "%s", bad[i]);
}
END_TEST

START_TEST(unknown_names_get_the_nearest)
{
	READ("CLOSEGUARD_WARNAFTER=3s");
	refused_with("CLOSEGUARD_WARNAFTER=3s is not a setting; did you mean CLOSEGUARD_WARN_AFTER?");
	READ("CLOSEGUARD_SIGNALS=USR1");
	refused_with("CLOSEGUARD_SIGNALS=USR1 is not a setting; did you mean CLOSEGUARD_SIGNAL?");
	READ("CLOSEGUARD_log=x");
	refused_with("CLOSEGUARD_log=x is not a setting; did you mean CLOSEGUARD_LOG?");
	READ("CLOSEGUARD_ON=1");
	refused_with("CLOSEGUARD_ON=1 is not a setting; did you mean CLOSEGUARD?");
	READ("CLOSEGUARD_=");
	ck_assert_int_eq(warned, 1);
}
END_TEST

START_TEST(other_people_s_names_are_left_alone)
{
	READ("CLOSEGUARDIAN=1", "XCLOSEGUARD_LOG=1", "CLOSEGUARD_TEST_LIB=/x", "CLOSEGUARD_TEST_=", "closeguard_log=x",
	     "CLOSEGUARD_NOVALUE", "CLOSEGUAR=off");
	ck_assert_int_eq(warned, 0);
	ck_assert(options.on);
	ck_assert_str_eq(options.log, "stderr");
}
END_TEST

START_TEST(empty_is_default)
{
	READ("CLOSEGUARD=", "CLOSEGUARD_LOG=", "CLOSEGUARD_DEPTH=", "CLOSEGUARD_APP=", "CLOSEGUARD_SIGNAL=");
	ck_assert_int_eq(warned, 0);
	ck_assert(options.on);
	ck_assert_str_eq(options.log, "stderr");
	ck_assert_uint_eq(options.depth, 32);
	ck_assert_str_eq(options.app, "test_options");
	ck_assert_uint_eq(options.from_environment, 0);
}
END_TEST

START_TEST(the_first_of_two_counts)
{
	READ("CLOSEGUARD_DEPTH=5", "CLOSEGUARD_DEPTH=6");
	ck_assert_uint_eq(options.depth, 5);
}
END_TEST

START_TEST(a_refused_value_counts_as_named)
{
	READ("CLOSEGUARD_DEPTH=many");
	ck_assert_int_eq(warned, 1);
	ck_assert_uint_eq(options.from_environment, 1u << CG_OPT_DEPTH);
}
END_TEST

START_TEST(long_and_strange_values_make_one_short_line)
{
	char entry[CG_OPTION_TEXT_MAX + 64], path[CG_OPTION_TEXT_MAX + 1];
	memset(path, 'x', sizeof(path));
	path[CG_OPTION_TEXT_MAX] = '\0';
	snprintf(entry, sizeof(entry), "CLOSEGUARD_DIR=%s", path);
	READ(entry);
	ck_assert_int_eq(warned, 1);
	ck_assert_ptr_nonnull(strstr(warnings[0], "xxx...\" is longer than 1023 bytes; using the default"));
	ck_assert_str_eq(options.dir, "");
	entry[strlen(entry) - 1] = '\0';
	READ(entry);
	ck_assert_int_eq(warned, 0);
	ck_assert_uint_eq(strlen(options.dir), CG_OPTION_TEXT_MAX - 1);
	READ("CLOSEGUARD_FORMAT=a\nb\033[31m\177");
	refused_with("CLOSEGUARD_FORMAT: \"a?b?[31m?\" is not text or json; using text");
	memcpy(entry, "CLOSEGUARD_XXX", 14);
	entry[300] = '=';
	READ(entry);
	ck_assert_int_eq(warned, 1);
	ck_assert_uint_lt(strlen(warnings[0]), 130);
}
END_TEST

START_TEST(nobody_to_warn_and_nothing_to_read)
{
	char *list[] = {"CLOSEGUARD_DEPTH=x", "CLOSEGUARD_NONE=1", NULL};
	cg_options_read(list, &options, NULL, NULL);
	ck_assert_uint_eq(options.depth, 32);
	cg_options_read(NULL, &options, NULL, NULL);
	ck_assert_uint_eq(options.depth, 32);
}
END_TEST

/* Runs itself under a name that it was deleted by, as an upgraded daemon is, and reads the name there. */
START_TEST(a_replaced_executable_keeps_its_name)
{
	char dir[] = "/tmp/test_options.XXXXXX", program[64], command[512], line[64] = "";
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(program, sizeof(program), "%s/shop d", dir);
	snprintf(command, sizeof(command), "cp /proc/%d/exe '%s' && TEST_OPTIONS_PRINT_APP='%s' '%s'; rm -rf '%s'",
	         getpid(), program, program, program, dir);
	FILE *out = popen(command, "r");
	ck_assert_ptr_nonnull(out);
	ck_assert_ptr_nonnull(fgets(line, sizeof(line), out));
	ck_assert_int_eq(pclose(out), 0);
	ck_assert_str_eq(line, "shop d\n");
}
END_TEST

__attribute__((constructor)) static void print_app_of_a_deleted_executable(void)
{
	const char *program = getenv("TEST_OPTIONS_PRINT_APP");
	if (!program)
		return;
	unlink(program);
	cg_options_read(NULL, &options, NULL, NULL);
	printf("%s\n", options.app);
	fflush(stdout);
	_exit(0);
}

START_TEST(the_table)
{
	unsigned count = 0;
	const struct cg_option_info *table = cg_options_table(&count);
	ck_assert_uint_eq(count, CG_OPT_COUNT);
	ck_assert_str_eq(table[CG_OPT_ON].variable, "CLOSEGUARD");
	ck_assert_str_eq(table[CG_OPT_WARN_AFTER].variable, "CLOSEGUARD_WARN_AFTER");
	for (unsigned i = 0; i < count; i++) {
		char entry[128];
		ck_assert_msg(strncmp(table[i].variable, "CLOSEGUARD", 10) == 0, "%s", table[i].variable);
		ck_assert_uint_gt(strlen(table[i].meaning), 0);
		ck_assert_uint_gt(strlen(table[i].values), 0);
		snprintf(entry, sizeof(entry), "%s=%s", table[i].variable, table[i].standard);
		READ(entry);
		ck_assert_msg(warned == 0, "%s is refused: %s", entry, warnings[0]);
	}
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_test(tc, defaults);
	tcase_add_test(tc, every_setting_is_read);
	tcase_add_test(tc, a_bad_value_gives_one_line_and_the_default);
	tcase_add_test(tc, limits);
	tcase_add_test(tc, signals);
	tcase_add_test(tc, signals_that_cannot_dump);
	tcase_add_test(tc, unknown_names_get_the_nearest);
	tcase_add_test(tc, other_people_s_names_are_left_alone);
	tcase_add_test(tc, empty_is_default);
	tcase_add_test(tc, the_first_of_two_counts);
	tcase_add_test(tc, a_refused_value_counts_as_named);
	tcase_add_test(tc, long_and_strange_values_make_one_short_line);
	tcase_add_test(tc, nobody_to_warn_and_nothing_to_read);
	tcase_add_test(tc, a_replaced_executable_keeps_its_name);
	tcase_add_test(tc, the_table);
}
