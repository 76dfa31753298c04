/*
 * scan.c: `closeguard scan`, which tells of the sockets of any process, watched or not, Go, static or in a container.
 *
 * The processes are not touched: what they hold is read from /proc, what the sockets are from the kernel.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "fmt.h"
#include "options_table.h"
#include "scan.h"

enum { ROW_ALL_NETNS, ROW_JSON, ROW_LIMIT, ROW_MIN_AGE, ROW_STATE, ROW_COUNT };

static const struct cg_option_row rows[ROW_COUNT] = {
    [ROW_ALL_NETNS] = {"all-netns", NULL, "look into every network namespace that some process is in"},
    [ROW_JSON] = {"json", NULL, "one JSON object with all sockets"},
    [ROW_LIMIT] = {"limit", "N", "sockets listed for each process; default 10, in JSON all"},
    [ROW_MIN_AGE] = {"min-age", "D", "what counts as old (0, 500ms, 10s, 5m, 1h); default 30s"},
    [ROW_STATE] = {"state", "S[,S...]", "tell of these states only, and let any old one decide the exit status"},
};

static const struct cg_options_table table = {
    .verb = "scan",
    .usage = "usage: closeguard scan [OPTION...] [PID...]\n",
    .rows = rows,
    .count = ROW_COUNT,
};

struct choice {
	bool all_netns, json;
	long limit; /* -1: not given */
	struct cg_scan scan;
};

static void print_help(void)
{
	fputs(table.usage, stdout);
	fputs("\nTells of TCP sockets that their processes should have closed: those in CLOSE_WAIT and its like, dead "
	      "ones that\nare still held, and those that wait in a listener's backlog. Without PID, of all processes "
	      "that may be read;\nfor those of other users that takes root or CAP_SYS_PTRACE.\n\n",
	      stdout);
	cg_options_table_print(&table);
	fputs("\nStates:", stdout);
	for (unsigned i = 0; i < CG_SCAN_CLASSES; i++)
		printf(" %s", cg_scan_class_name(i));
	fputs("; ss's spelling is understood too.\n\n"
	      "It exits with 0 where nothing has been in CLOSE_WAIT for long (--min-age), 1 where something has, 2 for "
	      "wrong\nusage and 3 where it could not look; the reason is one line.\n",
	      stdout);
}

static int take_states(const char *list, struct cg_scan *scan)
{
	char name[32];
	scan->classes = 0;
	for (const char *at = list; at; at = *at ? at + 1 : NULL) {
		enum cg_scan_class class;
		size_t n = strcspn(at, ",");
		int error = cg_common_print(name, sizeof name, "%.*s", (int)n, at);
		if (error || !n || cg_scan_class_parse(name, &class) < 0) {
			cg_common_complain("scan",
			                   "--state: '%s' is not understood; `closeguard scan --help` lists the states",
			                   n < sizeof name ? name : list);
			return CG_EXIT_USAGE;
		}
		scan->classes |= 1u << class;
		at += n;
	}
	scan->failing = scan->classes;
	return CG_EXIT_DONE;
}

static int take_option(unsigned row, const char *argument, void *context)
{
	struct choice *choice = context;
	switch (row) {
	case ROW_ALL_NETNS:
		choice->all_netns = true;
		return CG_EXIT_DONE;
	case ROW_JSON:
		choice->json = true;
		return CG_EXIT_DONE;
	case ROW_LIMIT:
		if (cg_parse_number(argument, 0, 1000000000, &choice->limit) < 0)
			return cg_options_table_refuse(&table, row, argument, "a number, 0 or more");
		return CG_EXIT_DONE;
	case ROW_MIN_AGE:
		if (cg_parse_duration(argument, &choice->scan.min_age_ns) < 0)
			return cg_options_table_refuse(&table, row, argument, "a duration such as 500ms, 10s, 5m, 1h");
		return CG_EXIT_DONE;
	default:
		return take_states(argument, &choice->scan);
	}
}

void *cg_scan_grow(void *list_pointer, size_t *count, size_t size)
{
	char *list;
	memcpy(&list, list_pointer, sizeof list);
	if ((*count & (*count - 1)) == 0) { /* full at each power of two */
		char *larger = reallocarray(list, *count ? 2 * *count : 1, size);
		if (!larger)
			return NULL;
		list = larger;
		memcpy(list_pointer, &list, sizeof list);
	}
	void *one = list + *count * size;
	++*count;
	return memset(one, 0, size);
}

void cg_scan_free(struct cg_scan *scan)
{
	free(scan->spaces);
	free(scan->processes);
	free(scan->holds);
	free(scan->sockets);
	free(scan->listeners);
	free(scan->others);
	free(scan->waits);
}

size_t *cg_scan_of(const struct cg_scan *scan, long owner, size_t *ret_count)
{
	size_t *list = calloc(scan->socket_count + 1, sizeof *list);
	*ret_count = 0;
	for (size_t i = 0; list && i < scan->socket_count; i++)
		if (scan->sockets[i].owner == owner && scan->sockets[i].listener < 0)
			list[(*ret_count)++] = i;
	return list;
}

/* Returns enum cg_cli_exit. */
static int gather(struct choice *choice, const pid_t *pids, size_t count)
{
	struct cg_scan *scan = &choice->scan;
	scan->all = count == 0;
	if (cg_scan_processes(scan, pids, count) < 0)
		return CG_EXIT_FAILED;
	int error = cg_scan_spaces(scan, choice->all_netns);
	if (!error)
		error = cg_scan_kernel(scan);
	if (!error)
		error = cg_scan_dead(scan);
	if (!error)
		error = cg_scan_judge(scan);
	if (error)
		cg_common_complain("scan", "neither sock_diag nor /proc/net/tcp tells of sockets: %s",
		                   strerror(-error));
	return error ? CG_EXIT_FAILED : CG_EXIT_DONE;
}

static int tell(struct choice *choice)
{
	int error = 0;
	if (choice->json)
		error = cg_scan_json(&choice->scan, choice->limit < 0 ? UINT_MAX : (unsigned)choice->limit);
	else
		cg_scan_text(&choice->scan, choice->limit < 0 ? 10 : (unsigned)choice->limit);
	if (error || fflush(stdout) == EOF || ferror(stdout)) {
		cg_common_complain("scan", "it could not be written: %s", strerror(error ? -error : errno));
		return CG_EXIT_FAILED;
	}
	return choice->scan.found ? CG_EXIT_NO : CG_EXIT_DONE;
}

static int take_pids(char **words, size_t count, pid_t *ret)
{
	for (size_t i = 0; i < count; i++) {
		long pid;
		if (cg_parse_number(words[i], 1, INT_MAX, &pid) < 0) {
			cg_common_complain("scan", "'%s' is no process id, which is a number from 1", words[i]);
			return CG_EXIT_USAGE;
		}
		ret[i] = (pid_t)pid;
	}
	return CG_EXIT_DONE;
}

int cg_scan_main(int argc, char **argv)
{
	struct choice choice = {.limit = -1,
	                        .scan = {.min_age_ns = UINT64_C(30000000000),
	                                 .classes = (1u << CG_SCAN_CLASSES) - 1,
	                                 .failing = 1u << CG_SCAN_CLOSE_WAIT}};
	bool help = false;
	int code = cg_options_table_read(&table, argc, argv, take_option, &choice, &help);
	if (help)
		print_help();
	if (help || code != CG_EXIT_DONE)
		return code;
	size_t count = (size_t)(argc - optind);
	pid_t *pids = calloc(count + 1, sizeof *pids);
	if (!pids) {
		cg_common_complain("scan", "out of memory");
		return CG_EXIT_FAILED;
	}
	code = take_pids(argv + optind, count, pids);
	if (code == CG_EXIT_DONE)
		code = gather(&choice, pids, count);
	if (code == CG_EXIT_DONE)
		code = tell(&choice);
	cg_scan_free(&choice.scan);
	free(pids);
	return code;
}
