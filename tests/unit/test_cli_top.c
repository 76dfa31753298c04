/* What `closeguard top` makes of samples: rows, growth, percentiles, order and columns, without a screen. */
#include "unit.h"

#include "../../cli/top_rows.h"
#include "../../cli/top_same.h"

#define SECOND 1000000000ull

static struct cg_top_model model;
static struct cg_top_sample sample;
static char text[512];
static struct cg_buf buf;

static void begin_text(void)
{
	cg_buf_init(&buf, text, sizeof text);
}

/* A living process with so many findings, each with its number as its opening stack. */
static void set_sample(int pid, unsigned findings)
{
	memset(&sample, 0, sizeof sample);
	sample.header.pid = pid;
	strcpy(sample.header.app, "app");
	sample.header.last_sweep_ns = SECOND;
	sample.has_findings = true;
	sample.count = findings;
	for (unsigned i = 0; i < findings; i++)
		sample.findings[i] = (struct cg_kept_finding){.kind = CG_KIND_CLOSE_WAIT,
		                                              .cause = CG_CAUSE_EOF_IGNORED,
		                                              .count = 1,
		                                              .oldest_ns = SECOND,
		                                              .open_stack = i + 1};
}

static struct cg_top_process *put(const char *path)
{
	struct cg_top_process *process = cg_top_model_process(&model, path);
	ck_assert_ptr_nonnull(process);
	ck_assert_int_eq(cg_top_model_put(&model, process, &sample), 0);
	return process;
}

START_TEST(growth_is_over_the_last_minute)
{
	struct cg_top_rate rate = {0};
	double per_minute = -1;
	ck_assert(!cg_top_rate_per_minute(&rate, &per_minute));
	cg_top_rate_add(&rate, 5 * SECOND, 100);
	ck_assert(!cg_top_rate_per_minute(&rate, &per_minute));
	cg_top_rate_add(&rate, 15 * SECOND, 110);
	ck_assert(cg_top_rate_per_minute(&rate, &per_minute));
	ck_assert_double_eq_tol(per_minute, 60, 0.01);
	/* Ten minutes of one a second, then two of standing still. */
	for (unsigned i = 0; i < 600; i++)
		cg_top_rate_add(&rate, (16 + i) * SECOND, 111 + i);
	ck_assert(cg_top_rate_per_minute(&rate, &per_minute));
	ck_assert_double_eq_tol(per_minute, 60, 0.01);
	for (unsigned i = 0; i < 120; i++)
		cg_top_rate_add(&rate, (616 + i) * SECOND, 710);
	ck_assert(cg_top_rate_per_minute(&rate, &per_minute));
	ck_assert_double_eq_tol(per_minute, 0, 0.01);
	cg_top_rate_add(&rate, 740 * SECOND, 700);
	ck_assert(cg_top_rate_per_minute(&rate, &per_minute));
	ck_assert(per_minute < -9 && per_minute > -11);
}
END_TEST

START_TEST(rows_live_from_refresh_to_refresh)
{
	cg_top_model_begin(&model, 10 * SECOND);
	set_sample(7, 2);
	struct cg_top_process *process = put("7.rec");
	cg_top_model_end(&model);
	uint64_t first = process->findings[0]->id, second = process->findings[1]->id;
	ck_assert_uint_ne(first, second);

	/* The first one is resolved, the second has grown, a third is new. */
	cg_top_model_begin(&model, 20 * SECOND);
	set_sample(7, 3);
	sample.findings[1].count = 11;
	memmove(&sample.findings[0], &sample.findings[1], 2 * sizeof sample.findings[0]);
	sample.count = 2;
	ck_assert_ptr_eq(put("7.rec"), process);
	cg_top_model_end(&model);
	ck_assert_uint_eq(process->finding_count, 2);
	ck_assert_uint_eq(process->findings[0]->id, second);
	ck_assert_uint_gt(process->findings[1]->id, second);
	double per_minute;
	ck_assert(cg_top_rate_per_minute(&process->findings[0]->rate, &per_minute));
	ck_assert_double_eq_tol(per_minute, 60, 0.01);
	/* What appeared under our eyes came from nothing. */
	ck_assert(cg_top_rate_per_minute(&process->findings[1]->rate, &per_minute));
	ck_assert_double_eq_tol(per_minute, 6, 0.01);

	/* A sample without findings leaves them; a refresh without the recorder ends it. */
	cg_top_model_begin(&model, 30 * SECOND);
	sample.has_findings = false;
	put("7.rec");
	cg_top_model_end(&model);
	ck_assert_uint_eq(process->finding_count, 2);
	cg_top_model_begin(&model, 40 * SECOND);
	cg_top_model_end(&model);
	ck_assert_uint_eq(model.process_count, 0);
	cg_top_model_free(&model);
}
END_TEST

START_TEST(totals_count_leaks_only)
{
	struct cg_top_totals totals;
	for (unsigned round = 1; round <= 2; round++) {
		cg_top_model_begin(&model, round * 10 * SECOND);
		set_sample(7, 3);
		sample.findings[0].count = 5 * round;
		sample.findings[1].verdict = CG_VERDICT_LATE;
		sample.findings[2].verdict = CG_VERDICT_INFO;
		put("7.rec");
		set_sample(8, 1);
		sample.state = CG_TOP_KILLED;
		put("8.rec");
		set_sample(9, 0);
		sample.state = CG_TOP_STOPPED;
		put("9.rec");
		cg_top_model_end(&model);
	}
	cg_top_model_totals(&model, &totals);
	ck_assert_uint_eq(totals.processes, 3);
	ck_assert_uint_eq(totals.stopped, 1);
	ck_assert_uint_eq(totals.dead, 1);
	ck_assert_uint_eq(totals.findings, 4);
	ck_assert_uint_eq(totals.leaked, 11);
	ck_assert(totals.has_growth);
	ck_assert_double_eq_tol(totals.growth, 30, 0.01);
	cg_top_model_free(&model);
}
END_TEST

START_TEST(ages_go_on_while_there_is_a_process)
{
	static const enum cg_top_state states[] = {CG_TOP_LIVE, CG_TOP_STOPPED, CG_TOP_KILLED, CG_TOP_EXITED};
	static const uint64_t ages[] = {10, 10, 1, 1};
	for (unsigned i = 0; i < 4; i++) {
		cg_top_model_begin(&model, 10 * SECOND);
		set_sample(7, 2);
		sample.state = states[i];
		sample.findings[1].kind = CG_KIND_DOUBLE_CLOSE;
		sample.findings[1].last_seen_ns = SECOND;
		struct cg_top_process *process = put("7.rec");
		ck_assert_uint_eq(process->findings[0]->age_ns, ages[i] * SECOND);
		ck_assert_uint_eq(process->findings[1]->age_ns, (ages[i] - 1) * SECOND);
		cg_top_model_free(&model);
	}
}
END_TEST

START_TEST(percentiles_are_bounds)
{
	uint64_t delays[CG_DELAY_BUCKETS] = {0};
	ck_assert_int_eq(cg_top_model_percentile(delays, 500), -1);
	delays[0] = 50;
	delays[3] = 40;
	delays[10] = 9;
	delays[CG_DELAY_BUCKETS - 1] = 1;
	ck_assert_int_eq(cg_top_model_percentile(delays, 500), 0);
	ck_assert_int_eq(cg_top_model_percentile(delays, 501), 3);
	ck_assert_int_eq(cg_top_model_percentile(delays, 900), 3);
	ck_assert_int_eq(cg_top_model_percentile(delays, 990), 10);
	ck_assert_int_eq(cg_top_model_percentile(delays, 1000), CG_DELAY_BUCKETS - 1);
	static const char *const wanted[] = {
	    [0] = "1ms", [3] = "8ms", [9] = "512ms", [10] = "1s", [15] = "32s", [16] = "1m", [18] = "4m", [19] = "4m+"};
	for (int i = 0; i < 20; i++) {
		begin_text();
		cg_top_text_delay(&buf, i);
		if (wanted[i])
			ck_assert_str_eq(text, wanted[i]);
		ck_assert_uint_le(buf.len, 5);
	}
}
END_TEST

/* Which of the processes and findings stand in which order: their pids and counts. */
static const char *order_of(const struct cg_top_choice *choice, const struct cg_top_filter *filter, bool findings)
{
	static struct cg_top_rows rows;
	begin_text();
	ck_assert_int_eq((findings ? cg_top_rows_findings : cg_top_rows_processes)(&model, choice, filter, &rows), 0);
	for (unsigned i = 0; i < rows.count; i++)
		cg_buf_fmt(&buf, " %d",
		           findings ? (int)((const struct cg_top_finding *)rows.list[i])->kept.count
		                    : ((const struct cg_top_process *)rows.list[i])->header.pid);
	return text;
}

static void put_some(void)
{
	cg_top_model_begin(&model, 10 * SECOND);
	set_sample(7, 2);
	sample.findings[0].count = 3;
	sample.findings[1].count = 90;
	sample.findings[1].verdict = CG_VERDICT_INFO;
	put("7.rec");
	set_sample(8, 1);
	strcpy(sample.header.app, "Zebra");
	sample.findings[0].count = 4;
	put("8.rec");
	set_sample(9, 1);
	sample.findings[0].count = 500;
	sample.state = CG_TOP_KILLED;
	put("9.rec");
	cg_top_model_end(&model);
}

START_TEST(the_worst_that_can_be_mended_comes_first)
{
	struct cg_top_choice choice;
	struct cg_top_filter filter = {0};
	put_some();
	cg_top_rows_choose(&choice, &cg_top_finding_table);
	ck_assert_str_eq(order_of(&choice, &filter, true), " 4 3 90 500");
	choice.reverse = true;
	ck_assert_str_eq(order_of(&choice, &filter, true), " 500 90 3 4");
	cg_top_rows_choose(&choice, &cg_top_process_table);
	ck_assert_str_eq(order_of(&choice, &filter, false), " 8 7 9");
	choice.sort = (unsigned)cg_top_columns_find(&cg_top_process_table, "app");
	ck_assert_str_eq(order_of(&choice, &filter, false), " 8 7 9");
	choice.sort = (unsigned)cg_top_columns_find(&cg_top_process_table, "PID");
	ck_assert_str_eq(order_of(&choice, &filter, false), " 7 8 9");
	cg_top_model_free(&model);
}
END_TEST

/* Three workers with the same two findings, the second of which one of them alone has; and one that died. */
START_TEST(a_finding_of_several_workers_is_one_row)
{
	struct cg_top_choice choice;
	struct cg_top_filter filter = {0};
	struct cg_top_rows rows = {0};
	char cell[64];
	double per_minute;
	for (unsigned round = 1; round <= 2; round++) {
		cg_top_model_begin(&model, round * 60 * SECOND);
		for (int worker = 1; worker <= 4; worker++) {
			snprintf(text, sizeof text, "%d.rec", worker);
			set_sample(worker, worker == 3 ? 2 : 1);
			sample.state = worker == 4 ? CG_TOP_KILLED : CG_TOP_LIVE;
			sample.findings[0].count = (unsigned)worker * round;
			struct cg_top_process *process = put(text);
			for (unsigned i = 0; i < process->finding_count; i++) {
				process->findings[i]->located = true;
				process->findings[i]->identity = i + 1;
			}
		}
		cg_top_model_end(&model);
	}
	cg_top_rows_choose(&choice, &cg_top_finding_table);
	ck_assert_int_eq(cg_top_rows_findings(&model, &choice, &filter, &rows), 0);
	ck_assert_uint_eq(rows.count, 3);
	const struct cg_top_finding *row = rows.list[0];
	ck_assert_uint_eq(cg_top_same_processes(row), 3);
	ck_assert_uint_eq(cg_top_same_count(row), 12);
	ck_assert_int_eq(cg_top_same_worst(row)->process->header.pid, 3);
	ck_assert(cg_top_same_growth(row, &per_minute));
	ck_assert_double_eq_tol(per_minute, 6, 0.01);
	int pid = cg_top_columns_find(&cg_top_finding_table, "pid");
	cg_buf_init(&buf, cell, sizeof cell);
	cg_top_finding_table.columns[pid].cell(row, &buf, 20);
	ck_assert_str_eq(cell, "3 pids");
	ck_assert_uint_eq(cg_top_same_processes(rows.list[1]), 1);
	ck_assert_int_eq(((const struct cg_top_finding *)rows.list[2])->process->header.pid, 4);

	/* Of one process only its own, however the others were counted before. */
	filter.process = model.processes[1]->id;
	ck_assert_int_eq(cg_top_rows_findings(&model, &choice, &filter, &rows), 0);
	ck_assert_uint_eq(rows.count, 1);
	ck_assert_uint_eq(cg_top_same_count(rows.list[0]), 4);
	cg_top_rows_free(&rows);
	cg_top_model_free(&model);
}
END_TEST

START_TEST(every_column_can_be_reached)
{
	static const struct cg_top_table *const tables[] = {&cg_top_process_table, &cg_top_finding_table};
	for (unsigned i = 0; i < 2; i++) {
		struct cg_top_choice choice;
		unsigned ordered = 0, steps = 0;
		for (unsigned j = 0; j < tables[i]->count; j++)
			ordered += tables[i]->columns[j].order != NULL;
		cg_top_rows_choose(&choice, tables[i]);
		do {
			ck_assert_ptr_nonnull(tables[i]->columns[choice.sort].order);
			cg_top_rows_sort_by_next(&choice, 1);
		} while (choice.sort != tables[i]->usual && ++steps < 100);
		ck_assert_uint_eq(steps + 1, ordered);
		cg_top_rows_sort_by_next(&choice, 1);
		cg_top_rows_sort_by_next(&choice, -1);
		ck_assert_uint_eq(choice.sort, tables[i]->usual);
	}
}
END_TEST

START_TEST(a_filter_keeps_what_belongs_together)
{
	struct cg_top_choice processes, findings;
	struct cg_top_filter filter = {.text = "zEBRA"};
	put_some();
	cg_top_rows_choose(&processes, &cg_top_process_table);
	cg_top_rows_choose(&findings, &cg_top_finding_table);
	ck_assert_str_eq(order_of(&processes, &filter, false), " 8");
	ck_assert_str_eq(order_of(&findings, &filter, true), " 4");
	filter = (struct cg_top_filter){.text = "info"};
	ck_assert_str_eq(order_of(&processes, &filter, false), " 7");
	ck_assert_str_eq(order_of(&findings, &filter, true), " 90");
	filter = (struct cg_top_filter){.hide_dead = true};
	ck_assert_str_eq(order_of(&processes, &filter, false), " 8 7");
	ck_assert_str_eq(order_of(&findings, &filter, true), " 4 3 90");
	filter = (struct cg_top_filter){.process = model.processes[0]->id};
	ck_assert_str_eq(order_of(&findings, &filter, true), " 3 90");
	filter = (struct cg_top_filter){.text = "nothing has this"};
	ck_assert_str_eq(order_of(&processes, &filter, false), "");
	cg_top_model_free(&model);
}
END_TEST

START_TEST(columns_fill_each_width)
{
	static const struct cg_top_table *const tables[] = {&cg_top_process_table, &cg_top_finding_table};
	for (unsigned i = 0; i < 2; i++) {
		unsigned before = 0;
		for (unsigned width = 20; width <= 300; width++) {
			struct cg_top_layout layout;
			unsigned used = 0;
			cg_top_columns_lay_out(tables[i], width, &layout);
			for (unsigned j = 0; j < layout.count; j++)
				used += layout.width[j] + (j ? 1 : 0);
			ck_assert_uint_le(used, width);
			before = layout.count;
		}
		ck_assert_uint_eq(before, tables[i]->count);
	}
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_test(tc, growth_is_over_the_last_minute);
	tcase_add_test(tc, rows_live_from_refresh_to_refresh);
	tcase_add_test(tc, totals_count_leaks_only);
	tcase_add_test(tc, ages_go_on_while_there_is_a_process);
	tcase_add_test(tc, percentiles_are_bounds);
	tcase_add_test(tc, the_worst_that_can_be_mended_comes_first);
	tcase_add_test(tc, a_finding_of_several_workers_is_one_row);
	tcase_add_test(tc, every_column_can_be_reached);
	tcase_add_test(tc, a_filter_keeps_what_belongs_together);
	tcase_add_test(tc, columns_fill_each_width);
}
