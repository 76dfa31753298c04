/*
 * unit.h: the main of a unit test. Include it once per test file and define `static void cases(TCase *tc)`.
 *
 * Each test prints one line for tests/run to count: "ok NAME", "not ok NAME: why" or "skip NAME: why".
 */
#ifndef UNIT_H
#define UNIT_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void cases(TCase *tc);

/* Ends the running test as skipped, with the reason: for what the machine lacks. Never a pass. */
#define SKIP(why)                                                                                                      \
	do {                                                                                                           \
		ck_abort_msg("SKIP: %s", why);                                                                         \
	} while (0)

static int print_results(SRunner *runner, const char *suite)
{
	int failed = 0, n = srunner_ntests_run(runner);
	TestResult **results = srunner_results(runner);
	for (int i = 0; i < n; i++) {
		const char *message = tr_msg(results[i]) ? tr_msg(results[i]) : "";
		const char *skip = strstr(message, "SKIP: ");
		const char *name = tr_tcname(results[i]);
		if (tr_rtype(results[i]) == CK_PASS) {
			printf("ok %s/%s %d\n", suite, name, i + 1);
		} else if (skip) {
			printf("skip %s/%s %d: %s\n", suite, name, i + 1, skip + 6);
		} else {
			failed++;
			printf("not ok %s/%s %d: %s:%d: %s\n", suite, name, i + 1, tr_lfile(results[i]),
			       tr_lno(results[i]), message);
		}
	}
	free(results);
	return failed;
}

int main(int argc, char **argv)
{
	(void)argc;
	const char *suite = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
	Suite *s = suite_create(suite);
	TCase *tc = tcase_create("unit");
	tcase_set_timeout(tc, 60);
	cases(tc);
	suite_add_tcase(s, tc);
	SRunner *runner = srunner_create(s);
	srunner_run_all(runner, CK_SILENT);
	int failed = print_results(runner, suite);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
