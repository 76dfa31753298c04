/* test_unwind_walk.c: our walk by unwind tables against libgcc's, from wherever a timer's signal finds the program. */
#include "core_fixture.h"
#include "object.h"
#include "unit.h"
#include "unwind_memory.h"
#include "unwind_rule.h"
#include "unwind_walk.h"

#include <execinfo.h>
#include <link.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>

enum { DEPTH = 60, COMPARED = 400 };

static _Atomic unsigned compared, cut_short, wrong;
static void *mine[DEPTH], *theirs[DEPTH];
static int mine_n, theirs_n;

/* Both were called from the same function: what is above it has to be the same. Ours may end early, if it says so. */
static bool agree(bool cut)
{
	int from_mine = mine_n - 1, from_theirs = theirs_n - 1;
	if (cut) {
		cut_short++;
		return true;
	}
	while (from_mine > 0 && from_theirs > 0 && mine[from_mine] == theirs[from_theirs]) {
		from_mine--;
		from_theirs--;
	}
	/* The innermost frame is this function's, at two places. */
	return from_mine == 0 && from_theirs == 0;
}

static void compare(int number)
{
	bool cut;
	(void)number;
	if (compared >= COMPARED || wrong)
		return;
	mine_n = (int)cg_unwind_walk(mine, DEPTH, &cut);
	theirs_n = backtrace(theirs, DEPTH);
	if (!agree(cut))
		wrong++;
	compared++;
}

static int by_value(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Much of libc and libm, as deep as it goes: hand-written code, large frames, callbacks. */
static __attribute__((noinline)) double work(unsigned turn)
{
	int numbers[64];
	char text[256], other[256];
	double sum = 0;
	for (unsigned i = 0; i < 64; i++)
		numbers[i] = (int)(i * 7919 + turn) % 257;
	qsort(numbers, 64, sizeof *numbers, by_value);
	snprintf(text, sizeof text, "%d %s %.17g %p", numbers[3], "text", sin(turn) * 1e9, (void *)numbers);
	memmove(other, text, strlen(text) + 1);
	sum += strtod(strchr(other, 't') ? "1.25e3" : "2", NULL) + exp(turn % 7) + pow(turn % 11, 1.5);
	free(realloc(malloc(turn % 5000 + 1), 100000));
	return sum + (double)strlen(other);
}

static void tick_until_compared(void)
{
	struct sigaction action = {.sa_handler = compare, .sa_flags = SA_RESTART};
	struct itimerval often = {{0, 300}, {0, 300}}, never = {{0, 0}, {0, 0}};
	volatile double sum = 0;
	void *warm[4];
	backtrace(warm, 4); /* loads libgcc's */
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (unsigned turn = 0; compared < COMPARED && !wrong; turn++)
		sum = sum + work(turn);
	setitimer(ITIMER_REAL, &never, NULL);
	for (int i = 0; wrong && i < DEPTH && (i < mine_n || i < theirs_n); i++)
		fprintf(stderr, "%2d %p %p\n", i, i < mine_n ? mine[i] : NULL, i < theirs_n ? theirs[i] : NULL);
	ck_assert_uint_eq(wrong, 0);
	ck_assert_uint_lt(cut_short, COMPARED / 4);
}

static void start(void)
{
	if (CORE_SANITIZED)
		SKIP("a sanitizer calls handlers from a frame of its own");
	cg_object_init();
	cg_unwind_memory_init();
}

START_TEST(it_finds_what_libgcc_finds)
{
	start();
	tick_until_compared();
}
END_TEST

START_TEST(it_does_on_a_signal_stack)
{
	start();
	stack_t other = {.ss_sp = malloc(1 << 17), .ss_size = 1 << 17};
	ck_assert_int_eq(sigaltstack(&other, NULL), 0);
	tick_until_compared();
}
END_TEST

static void *in_thread(void *unused)
{
	tick_until_compared();
	return unused;
}

START_TEST(it_does_in_a_thread)
{
	pthread_t thread;
	sigset_t alarm;
	start();
	ck_assert_int_eq(pthread_create(&thread, NULL, in_thread, NULL), 0);
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &alarm, NULL);
	pthread_join(thread, NULL);
}
END_TEST

static ucontext_t back, there;

static void coroutine(void)
{
	tick_until_compared();
	swapcontext(&there, &back);
}

START_TEST(it_does_in_a_coroutine)
{
	start();
	getcontext(&there);
	there.uc_stack.ss_sp = malloc(1 << 17);
	there.uc_stack.ss_size = 1 << 17;
	makecontext(&there, coroutine, 0);
	ck_assert_int_eq(swapcontext(&back, &there), 0);
	ck_assert_uint_eq(compared, COMPARED);
}
END_TEST

/* Every entry of every loaded module's index, at three places in its code: what is packed is what was decoded. */
static int decode_all(struct dl_phdr_info *info, size_t size, void *context)
{
	unsigned *count = context;
	(void)size;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		if (p->p_type != PT_LOAD || !(p->p_flags & PF_X))
			continue;
		uint64_t from = info->dlpi_addr + p->p_vaddr;
		for (uint64_t pc = from; pc < from + p->p_memsz; pc += 97) {
			struct cg_object object;
			ck_assert(cg_object_find(pc, &object));
			struct cg_rule rule = cg_rule_decode(&object, pc);
			struct cg_rule again = cg_rule_unpack(cg_rule_pack(&rule)), kept = cg_rule_find(pc);
			ck_assert_mem_eq(&rule, &again, sizeof rule);
			ck_assert_mem_eq(&rule, &kept, sizeof rule);
			count[rule.kind]++;
		}
	}
	return 0;
}

START_TEST(the_rules_of_all_loaded_code_are_read)
{
	unsigned count[8] = {0};
	start();
	dl_iterate_phdr(decode_all, count);
	unsigned plain = count[CG_RULE_FROM_SP] + count[CG_RULE_FROM_FP] + count[CG_RULE_LOADED];
	ck_assert_uint_gt(plain, 1000);
	ck_assert_uint_lt(count[CG_RULE_TOO_HARD] * 50, plain); /* tables of jumps; a register that few functions use */
}
END_TEST

static uint8_t *write_at(uint8_t *image, unsigned offset, const void *bytes, unsigned size)
{
	memcpy(image + offset, bytes, size);
	return image;
}

static void word_at(uint8_t *image, unsigned offset, uint32_t word)
{
	write_at(image, offset, &word, sizeof word);
}

/* An object of one page with an index of one function, which begins where the index does. */
enum { INDEX = 1024, ENTRY = INDEX + 64, COMMON = INDEX + 32 };

static struct cg_object make_object(uint8_t *image)
{
	uint64_t at = (uint64_t)(uintptr_t)image;
	ElfW(Ehdr) elf = {.e_phoff = sizeof elf, .e_phnum = 1, .e_phentsize = sizeof(ElfW(Phdr))};
	ElfW(Phdr) part = {.p_type = PT_LOAD, .p_flags = PF_R, .p_filesz = 4096, .p_memsz = 4096};
	memcpy(elf.e_ident, ELFMAG, SELFMAG);
	memset(image, 0, 4096);
	write_at(image, 0, &elf, sizeof elf);
	write_at(image, sizeof elf, &part, sizeof part);
	write_at(image, INDEX, "\1\x1b\3\x3b", 4);
	word_at(image, INDEX + 8, 1);
	word_at(image, INDEX + 12, 0);
	word_at(image, INDEX + 16, ENTRY - INDEX);
	return (struct cg_object){.start = at, .end = at + 4096, .eh_frame_hdr = at + INDEX};
}

static int kind_at(const struct cg_object *object)
{
	return cg_rule_decode(object, object->start + INDEX).kind;
}

/* Tables that lead out of their object, or are of a form that nobody writes, give no rule and no fault. */
START_TEST(broken_tables_give_no_rule)
{
	static uint8_t image[4096] __attribute__((aligned(4096)));
	struct cg_object object = make_object(image), none = object, outside = object;
	none.eh_frame_hdr = 0;
	outside.eh_frame_hdr = 0x10000;
	ck_assert_int_eq(kind_at(&none), CG_RULE_NO_ENTRY);
	ck_assert_int_eq(kind_at(&outside), CG_RULE_NO_ENTRY);
	ck_assert_int_eq(kind_at(&object), CG_RULE_NO_ENTRY); /* an entry of length 0 */
	word_at(image, ENTRY, 0xffffffff);
	ck_assert_int_eq(kind_at(&object), CG_RULE_NO_ENTRY); /* of 64 bits */
	word_at(image, ENTRY, 8192);
	ck_assert_int_eq(kind_at(&object), CG_RULE_NO_ENTRY); /* longer than the object */
	word_at(image, ENTRY, 20);
	word_at(image, ENTRY + 4, 1 << 30);
	ck_assert_int_eq(kind_at(&object), CG_RULE_NO_ENTRY); /* its CIE is far away */
	word_at(image, INDEX + 16, 1 << 30);
	ck_assert_int_eq(kind_at(&object), CG_RULE_NO_ENTRY); /* it is far away itself */
	word_at(image, INDEX + 8, UINT32_MAX);
	ck_assert_int_eq(kind_at(&object), CG_RULE_NO_ENTRY); /* the index does not end */
}
END_TEST

/* With a CIE whose instructions say: the frame is at the stack pointer + 16, the return address 8 below it. */
START_TEST(an_entry_is_read)
{
	static uint8_t image[4096] __attribute__((aligned(4096)));
	struct cg_object object = make_object(image);
#ifndef __x86_64__
	SKIP("the registers of x86-64");
#endif
	word_at(image, COMMON, 20);
	write_at(image, COMMON + 8, "\1zR\0\1\x78\x10\1\x1b\x0c\7\x10\x90\1\0\0", 16);
	word_at(image, ENTRY, 16);
	word_at(image, ENTRY + 4, ENTRY + 4 - COMMON);
	word_at(image, ENTRY + 8, (uint32_t)(INDEX - (ENTRY + 8)));
	word_at(image, ENTRY + 12, 100);
	write_at(image, ENTRY + 16, "\0\x44\x0e\x20", 4); /* 4 bytes further on it is + 32 */
	struct cg_rule first = cg_rule_decode(&object, object.start + INDEX);
	struct cg_rule later = cg_rule_decode(&object, object.start + INDEX + 4);
	ck_assert_int_eq(first.kind, CG_RULE_FROM_SP);
	ck_assert_int_eq(first.cfa, 16);
	ck_assert_int_eq(first.ra, -8);
	ck_assert_int_eq(later.cfa, 32);
	ck_assert_int_eq(cg_rule_decode(&object, object.start + INDEX + 100).kind, CG_RULE_NO_ENTRY);
	/* All possible bytes as an instruction: it ends, and stays inside. */
	for (unsigned op = 0; op < 256; op++) {
		image[ENTRY + 17] = (uint8_t)op;
		(void)cg_rule_decode(&object, object.start + INDEX + 50);
	}
}
END_TEST

START_TEST(a_stack_ends_where_memory_does)
{
	enum { PAGE = 65536 };
	start();
	char *pages = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(pages, MAP_FAILED);
	ck_assert_int_eq(mprotect(pages + 2 * PAGE, PAGE, PROT_NONE), 0);
	uintptr_t at = (uintptr_t)pages + PAGE / 2, end = (uintptr_t)pages + 2 * PAGE;
	struct cg_stack_bounds bounds = cg_unwind_memory_around(at);
	ck_assert(cg_unwind_memory_reach(&bounds, at));
	ck_assert(cg_unwind_memory_reach(&bounds, end - 8));
	ck_assert(!cg_unwind_memory_reach(&bounds, end));
	ck_assert(!cg_unwind_memory_reach(&bounds, at - 136));
	ck_assert(!cg_unwind_memory_reach(&bounds, at + 1));
	ck_assert(!cg_unwind_memory_reach(&bounds, UINTPTR_MAX - 7));
	/* What is known is not asked for: the page that a sandbox forbids to ask about is the other one. */
	atomic_store(&cg_guard.sealed, true);
	bounds = cg_unwind_memory_around(at);
	ck_assert(cg_unwind_memory_reach(&bounds, end - 8));
	ck_assert(!cg_unwind_memory_reach(&bounds, end + 8));
	atomic_store(&cg_guard.sealed, false);
}
END_TEST

START_TEST(a_wild_frame_pointer_leads_nowhere)
{
	static const uintptr_t wild[] = {0, 1, 8, 0x1000, UINTPTR_MAX - 7, UINTPTR_MAX / 2 + 1};
	start();
	void *ip[8];
	for (unsigned i = 0; i < sizeof wild / sizeof *wild; i++) {
		uintptr_t *frame = __builtin_frame_address(0), kept = *frame;
		*frame = wild[i];
		unsigned n = cg_unwind_walk_fp(ip, 8);
		*frame = kept;
		ck_assert_uint_le(n, 2);
	}
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_test(tc, it_finds_what_libgcc_finds);
	tcase_add_test(tc, it_does_on_a_signal_stack);
	tcase_add_test(tc, it_does_in_a_thread);
	tcase_add_test(tc, it_does_in_a_coroutine);
	tcase_add_test(tc, the_rules_of_all_loaded_code_are_read);
	tcase_add_test(tc, broken_tables_give_no_rule);
	tcase_add_test(tc, an_entry_is_read);
	tcase_add_test(tc, a_stack_ends_where_memory_does);
	tcase_add_test(tc, a_wild_frame_pointer_leads_nowhere);
}
