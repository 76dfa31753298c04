/* test_record.c: the layout of the recorder, which is an interface between builds. */
#include "record.h"
#include "unit.h"

struct row {
	const char *what;
	uint64_t is, was;
};

/* A change here is a change for every reader of recorders: CG_RECORD_VERSION goes with it. */
#define SIZE(type, n) "sizeof " #type, sizeof(struct cg_##type), n
#define AT(type, field, n) #type "." #field, offsetof(struct cg_##type, field), n
#define NUMBER(name, n) #name, (uint64_t)(name), n

static const struct row structures[] = {
    {SIZE(slot, 128)},
    {AT(slot, gen, 0)},
    {AT(slot, kind, 4)},
    {AT(slot, role, 5)},
    {AT(slot, origin, 6)},
    {AT(slot, open_call, 7)},
    {AT(slot, last_use, 8)},
    {AT(slot, last_tick, 16)},
    {AT(slot, last_tid, 20)},
    {AT(slot, flags, 24)},
    {AT(slot, eof_tid, 28)},
    {AT(slot, open_ns, 32)},
    {AT(slot, eof_ns, 40)},
    {AT(slot, open_stack, 48)},
    {AT(slot, eof_stack, 52)},
    {AT(slot, open_tid, 56)},
    {AT(slot, conn, 60)},
    {AT(slot, inode, 64)},
    {AT(slot, cookie, 72)},
    {AT(slot, shut_ns, 80)},
    {AT(slot, close_ns, 88)},
    {AT(slot, first_seen_ns, 96)},
    {AT(slot, conn_stack, 104)},
    {AT(slot, shut_stack, 108)},
    {AT(slot, close_stack, 112)},
    {AT(slot, use_stack, 112)},
    {AT(slot, close_tid, 116)},
    {AT(slot, shut_tid, 120)},
    {AT(slot, epoch, 124)},
    {AT(slot, eof_call, 126)},
    {AT(slot, close_call, 127)},
    {SIZE(departed, 144)},
    {AT(departed, gen, 0)},
    {AT(departed, conn, 4)},
    {AT(departed, fd, 8)},
    {AT(departed, pad, 12)},
    {AT(departed, slot, 16)},
    {SIZE(stack, 16)},
    {AT(stack, hash, 0)},
    {AT(stack, depth, 4)},
    {AT(stack, flags, 6)},
    {AT(stack, generation, 8)},
    {AT(stack, pad, 12)},
    {AT(stack, ip, 16)},
    {SIZE(module, 256)},
    {AT(module, state, 0)},
    {AT(module, loaded, 4)},
    {AT(module, unloaded, 8)},
    {AT(module, build_id_len, 12)},
    {AT(module, build_id, 13)},
    {AT(module, flags, 33)},
    {AT(module, pad, 34)},
    {AT(module, start, 40)},
    {AT(module, end, 48)},
    {AT(module, bias, 56)},
    {AT(module, file_id, 64)},
    {AT(module, path, 72)},
    {SIZE(site, 248)},
    {AT(site, stack, 0)},
    {AT(site, pad, 4)},
    {AT(site, opened, 8)},
    {AT(site, closed, 16)},
    {AT(site, closed_in_time, 24)},
    {AT(site, closed_late, 32)},
    {AT(site, overdue, 40)},
    {AT(site, delays, 48)},
    {AT(site, answered, 208)},
    {AT(site, last_use_ns, 216)},
    {AT(site, busiest, 224)},
    {AT(site, peers, 228)},
    {AT(site, in_use, 232)},
    {AT(site, most_live, 236)},
    {AT(site, watched, 240)},
    {SIZE(event, 168)},
    {AT(event, seq, 0)},
    {AT(event, kind, 8)},
    {AT(event, fd, 12)},
    {AT(event, error, 16)},
    {AT(event, call, 20)},
    {AT(event, stack, 24)},
    {AT(event, tid, 28)},
    {AT(event, ns, 32)},
    {AT(event, slot, 40)},
    {SIZE(kept_finding, 208)},
    {AT(kept_finding, gen, 0)},
    {AT(kept_finding, kind, 4)},
    {AT(kept_finding, cause, 8)},
    {AT(kept_finding, verdict, 12)},
    {AT(kept_finding, count, 16)},
    {AT(kept_finding, reported, 20)},
    {AT(kept_finding, confidence, 24)},
    {AT(kept_finding, open_stack, 28)},
    {AT(kept_finding, eof_stack, 32)},
    {AT(kept_finding, open_call, 36)},
    {AT(kept_finding, eof_call, 40)},
    {AT(kept_finding, origin, 44)},
    {AT(kept_finding, last_use, 48)},
    {AT(kept_finding, oldest_ns, 56)},
    {AT(kept_finding, last_seen_ns, 64)},
    {AT(kept_finding, total, 72)},
    {AT(kept_finding, suppressed, 80)},
    {AT(kept_finding, leaked, 84)},
    {AT(kept_finding, hint, 148)},
    {AT(kept_finding, first_ns, 152)},
    {AT(kept_finding, then, 160)},
    {SIZE(course, 16 + 256 * 16)},
    {AT(course, gen, 0)},
    {AT(course, count, 4)},
    {AT(course, step_ns, 8)},
    {AT(course, points, 16)},
    {SIZE(count_then, 16)},
    {AT(count_then, ns, 0)},
    {AT(count_then, count, 8)},
    {AT(kept_finding, site_ip, 192)},
    {AT(kept_finding, site_generation, 200)},
    {AT(kept_finding, label, 88)},
    {SIZE(label, 64)},
    {AT(label, conn, 0)},
    {AT(label, text, 4)},
    {SIZE(counters, 256)},
    {AT(counters, opened, 0)},
    {AT(counters, closed, 8)},
    {AT(counters, eofs, 16)},
    {AT(counters, double_closes, 24)},
    {AT(counters, uses_after_close, 32)},
    {AT(counters, late_closes, 40)},
    {AT(counters, exhausted, 48)},
    {AT(counters, adopted, 56)},
    {AT(counters, beyond_limit, 64)},
    {AT(counters, stack_overflows, 72)},
    {AT(counters, site_overflows, 80)},
    {AT(counters, sweeps, 88)},
    {AT(counters, sweep_ns, 96)},
    {AT(counters, findings, 104)},
    {AT(counters, leaked_now, 112)},
    {AT(counters, departed_seq, 120)},
    {AT(counters, event_seq, 128)},
    {AT(counters, leaks_told, 136)},
    {AT(counters, spare, 144)},
    {SIZE(header, 840)},
    {AT(header, magic, 0)},
    {AT(header, version, 8)},
    {AT(header, header_size, 12)},
    {AT(header, chunk_size, 16)},
    {AT(header, slot_size, 20)},
    {AT(header, state, 24)},
    {AT(header, pid, 28)},
    {AT(header, uid, 32)},
    {AT(header, anonymous, 36)},
    {AT(header, start_ns, 40)},
    {AT(header, start_realtime_ns, 48)},
    {AT(header, process_start, 56)},
    {AT(header, warn_after_ns, 64)},
    {AT(header, off_modules, 72)},
    {AT(header, off_sites, 80)},
    {AT(header, off_stack_index, 88)},
    {AT(header, off_stack_arena, 96)},
    {AT(header, off_events, 104)},
    {AT(header, off_departed, 112)},
    {AT(header, off_findings, 120)},
    {AT(header, off_labels, 128)},
    {AT(header, off_actions, 136)},
    {AT(header, off_slots, 144)},
    {AT(header, module_generation, 152)},
    {AT(header, stack_used, 156)},
    {AT(header, next_conn, 160)},
    {AT(header, highest_fd, 164)},
    {AT(header, open_now, 168)},
    {AT(header, tick, 172)},
    {AT(header, last_sweep_ns, 176)},
    {AT(header, state_ns, 184)},
    {AT(header, spoken, 192)},
    {AT(header, fd, 196)},
    {AT(header, count, 200)},
    {AT(header, app, 456)},
    {AT(header, host, 520)},
    {AT(header, exe, 584)},
};

static const struct row regions[] = {
    {NUMBER(CG_RECORD_VERSION, 4)},
    {NUMBER(CG_CHUNK_SIZE, 16384)},
    {NUMBER(CG_MAX_FDS, 1048576)},
    {NUMBER(CG_MAX_MODULES, 1024)},
    {NUMBER(CG_MAX_SITES, 4096)},
    {NUMBER(CG_MAX_STACKS, 16384)},
    {NUMBER(CG_STACK_ARENA, 4194304)},
    {NUMBER(CG_MAX_EVENTS, 1024)},
    {NUMBER(CG_MAX_DEPARTED, 1024)},
    {NUMBER(CG_MAX_FINDINGS, 512)},
    {NUMBER(CG_MAX_ACTIONS, 512)},
    {NUMBER(CG_MAX_DEPTH, 64)},
    {NUMBER(CG_MAX_LABELS, 256)},
    {NUMBER(CG_DELAY_BUCKETS, 20)},
    {NUMBER(CG_COURSE_POINTS, 256)},
    {NUMBER(CG_OFF_COURSE, 8192)},
    {NUMBER(CG_OFF_MODULES, 16384)},
    {NUMBER(CG_OFF_SITES, 278528)},
    {NUMBER(CG_OFF_STACK_INDEX, 1327104)},
    {NUMBER(CG_OFF_STACK_ARENA, 1392640)},
    {NUMBER(CG_OFF_EVENTS, 5586944)},
    {NUMBER(CG_OFF_DEPARTED, 5849088)},
    {NUMBER(CG_OFF_FINDINGS, 6111232)},
    {NUMBER(CG_OFF_LABELS, 6242304)},
    {NUMBER(CG_OFF_ACTIONS, 6258688)},
    {NUMBER(CG_OFF_SLOTS, 6389760)},
    {NUMBER(CG_RECORD_SIZE, 140607488)},
    {NUMBER(CG_STATE_LIVE, 1)},
    {NUMBER(CG_STATE_EXITED, 2)},
    {NUMBER(CG_STATE_EXECED, 3)},
    {NUMBER(CG_STATE_SEALED, 4)},
    {NUMBER(CG_FD_NONE, 0)},
    {NUMBER(CG_FD_CONN, 1)},
    {NUMBER(CG_FD_LISTENER, 2)},
    {NUMBER(CG_FD_CLOSED, 3)},
    {NUMBER(CG_ROLE_ACCEPTED, 1)},
    {NUMBER(CG_ROLE_CONNECTED, 2)},
    {NUMBER(CG_ORIGIN_SEEN, 0)},
    {NUMBER(CG_ORIGIN_INHERITED, 1)},
    {NUMBER(CG_ORIGIN_RECEIVED, 2)},
    {NUMBER(CG_ORIGIN_UNSEEN, 3)},
    {NUMBER(CG_SLOT_EOF, 1)},
    {NUMBER(CG_SLOT_PEEKED, 2)},
    {NUMBER(CG_SLOT_SHUT_RD, 4)},
    {NUMBER(CG_SLOT_SHUT_WR, 8)},
    {NUMBER(CG_SLOT_STDIO, 16)},
    {NUMBER(CG_SLOT_DUPPED, 32)},
    {NUMBER(CG_SLOT_INHERITED, 64)},
    {NUMBER(CG_SLOT_UNVERIFIED, 128)},
    {NUMBER(CG_SLOT_IGNORED, 256)},
    {NUMBER(CG_SLOT_ERROR, 512)},
    {NUMBER(CG_SLOT_UNPOLLED, 1024)},
    {NUMBER(CG_SLOT_USED, 2048)},
    {NUMBER(CG_SLOT_LABELLED, 4096)},
    {NUMBER(CG_SLOT_CONSUMED, 8192)},
    {NUMBER(CG_STACK_TRUNCATED, 1)},
    {NUMBER(CG_STACK_FROM_FP, 2)},
    {NUMBER(CG_STACK_IN_SIGNAL, 4)},
    {NUMBER(CG_EVENT_DOUBLE_CLOSE, 1)},
    {NUMBER(CG_EVENT_USE_AFTER_CLOSE, 2)},
    {NUMBER(CG_EVENT_LATE_CLOSE, 3)},
    {NUMBER(CG_EVENT_FD_EXHAUSTED, 4)},
};

static void compare(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ck_assert_msg(rows[i].is == rows[i].was, "%s is %llu and was %llu", rows[i].what,
		              (unsigned long long)rows[i].is, (unsigned long long)rows[i].was);
}

START_TEST(structures_are_as_they_were)
{
	compare(structures, sizeof structures / sizeof *structures);
}
END_TEST

START_TEST(numbers_and_regions_are_as_they_were)
{
	compare(regions, sizeof regions / sizeof *regions);
}
END_TEST

/* One mapping at a time is looked at: what crosses a chunk's end would be read past it. */
START_TEST(no_element_crosses_a_chunk)
{
	static const uint64_t strides[] = {sizeof(struct cg_slot), sizeof(struct cg_module), sizeof(struct cg_label),
	                                   256, sizeof(uint32_t)};
	static const uint64_t starts[] = {CG_OFF_MODULES,     CG_OFF_SITES,  CG_OFF_STACK_INDEX,
	                                  CG_OFF_STACK_ARENA, CG_OFF_EVENTS, CG_OFF_DEPARTED,
	                                  CG_OFF_FINDINGS,    CG_OFF_LABELS, CG_OFF_SLOTS};
	for (size_t i = 0; i < sizeof strides / sizeof *strides; i++)
		ck_assert_uint_eq(CG_CHUNK_SIZE % strides[i], 0);
	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
		ck_assert_uint_eq(starts[i] % CG_CHUNK_SIZE, 0);
	ck_assert_uint_ge(256, sizeof(struct cg_site));
	ck_assert_uint_ge(256, sizeof(struct cg_event));
	ck_assert_uint_ge(256, sizeof(struct cg_departed));
	ck_assert_uint_ge(256, sizeof(struct cg_kept_finding));
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_test(tc, structures_are_as_they_were);
	tcase_add_test(tc, numbers_and_regions_are_as_they_were);
	tcase_add_test(tc, no_element_crosses_a_chunk);
}
