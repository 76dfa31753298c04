/*
 * other_class.c: a program of 32 bits that needs no library, not even a header: it says which libraries it was asked to
 * preload. Built by test_foreign.py, statically and for the loader of that class.
 */
static long ask(long number, long a, long b, long c)
{
	long result;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
	return result;
}

enum { WRITE = 4, EXIT_GROUP = 252 };

static void say(const char *text)
{
	long n = 0;
	while (text[n])
		n++;
	ask(WRITE, 1, (long)text, n);
}

static int begins(const char *text, const char *with)
{
	while (*with)
		if (*text++ != *with++)
			return 0;
	return 1;
}

/* What the kernel lays on the stack: the count of arguments, these, and the environment. */
__attribute__((used)) void begin(long *stack)
{
	for (char **at = (char **)(stack + 2 + stack[0]); *at; at++) {
		if (begins(*at, "LD_PRELOAD=")) {
			say(*at);
			say("\n");
		}
	}
	say("32 bits\n");
	for (;;)
		ask(EXIT_GROUP, 4, 0, 0);
}

__asm__(".globl _start\n"
        "_start:\n"
        "	mov	%esp, %eax\n"
        "	and	$-16, %esp\n"
        "	sub	$12, %esp\n"
        "	push	%eax\n"
        "	call	begin\n");
