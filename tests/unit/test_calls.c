/* test_calls.c: the numbers of the calls, which recorders hold and readers of other builds go by. */
#include <string.h>

#include "calls.h"
#include "unit.h"

/* Only ever longer: a number stands in recorders that are there. */
static const unsigned numbers[][2] = {
    {CG_CALL_accept, 1},        {CG_CALL_accept4, 2},         {CG_CALL_pidfd_getfd, 3},
    {CG_CALL_socket, 4},        {CG_CALL_socketpair, 5},      {CG_CALL_bind, 6},
    {CG_CALL_connect, 7},       {CG_CALL_epoll_ctl, 8},       {CG_CALL_listen, 9},
    {CG_CALL_setsockopt, 10},   {CG_CALL_shutdown, 11},       {CG_CALL_dup, 12},
    {CG_CALL_dup2, 13},         {CG_CALL_dup3, 14},           {CG_CALL_fcntl, 15},
    {CG_CALL_fcntl64, 16},      {CG_CALL_pipe2, 17},          {CG_CALL___read_chk, 18},
    {CG_CALL___recv_chk, 19},   {CG_CALL___recvfrom_chk, 20}, {CG_CALL_preadv2, 21},
    {CG_CALL_preadv64v2, 22},   {CG_CALL_read, 23},           {CG_CALL_readv, 24},
    {CG_CALL_recv, 25},         {CG_CALL_recvfrom, 26},       {CG_CALL_recvmmsg, 27},
    {CG_CALL_recvmsg, 28},      {CG_CALL_splice, 29},         {CG_CALL___vdprintf_chk, 30},
    {CG_CALL_send, 31},         {CG_CALL_sendfile, 32},       {CG_CALL_sendfile64, 33},
    {CG_CALL_sendmmsg, 34},     {CG_CALL_sendmsg, 35},        {CG_CALL_sendto, 36},
    {CG_CALL_vdprintf, 37},     {CG_CALL_write, 38},          {CG_CALL_writev, 39},
    {CG_CALL_close, 40},        {CG_CALL_close_range, 41},    {CG_CALL_closefrom, 42},
    {CG_CALL_fclose, 43},       {CG_CALL_fcloseall, 44},      {CG_CALL_fdopen, 45},
    {CG_CALL_freopen, 46},      {CG_CALL_freopen64, 47},      {CG_CALL_syscall, 48},
    {CG_CALL__Fork, 49},        {CG_CALL__exit, 50},          {CG_CALL_daemon, 51},
    {CG_CALL_execveat, 52},     {CG_CALL_execve, 53},         {CG_CALL_execv, 54},
    {CG_CALL_execvp, 55},       {CG_CALL_execvpe, 56},        {CG_CALL_fexecve, 57},
    {CG_CALL_fork, 58},         {CG_CALL_posix_spawn, 59},    {CG_CALL_posix_spawnp, 60},
    {CG_CALL_pthread_exit, 61}, {CG_CALL_prctl, 62},          {CG_CALL_quick_exit, 63},
    {CG_CALL_sigaltstack, 64},  {CG_CALL_vfork, 65},          {CG_CALL_inherited, 66},
    {CG_CALL_received, 67},     {CG_CALL_adopted, 68},        {CG_CALL_peek, 69},
    {CG_CALL_pwritev2, 70},     {CG_CALL_pwritev64v2, 71},    {CG_CALL_dlmopen, 72},
    {CG_CALL_popen, 74},        {CG_CALL_system, 75},         {CG_CALL_wordexp, 76},
    {CG_CALL_dlopen, 73},       {CG_CALL_chroot, 77},         {CG_CALL_setresuid, 78},
    {CG_CALL_setreuid, 79},     {CG_CALL_setuid, 80},
};

START_TEST(numbers_are_as_they_were)
{
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		ck_assert_msg(numbers[i][0] == numbers[i][1], "%s has number %u, and had %u",
		              cg_call_name(numbers[i][0]), numbers[i][0], numbers[i][1]);
}
END_TEST

START_TEST(every_number_is_one_calls)
{
	unsigned users[CG_CALL_COUNT] = {1};
#define CG_REQUIRED(number, ret, name, params, args) users[number]++;
#define CG_OPTIONAL(number, ret, name, params, args) users[number]++;
#define CG_WAY(number, name) users[number]++;
#include "calls.def"
	for (unsigned i = 0; i < CG_CALL_COUNT; i++)
		ck_assert_msg(users[i] == 1, "%u calls have the number %u", users[i], i);
	ck_assert_uint_eq(sizeof numbers / sizeof *numbers, CG_CALL_COUNT - 1);
	ck_assert_uint_le(CG_CALL_COUNT, 256);
}
END_TEST

START_TEST(names_go_with_numbers)
{
#define CG_REQUIRED(number, ret, name, params, args) ck_assert_str_eq(cg_call_name(number), #name);
#define CG_OPTIONAL(number, ret, name, params, args) ck_assert_str_eq(cg_call_name(number), #name);
#define CG_WAY(number, name) ck_assert_str_eq(cg_call_name(number), #name);
#include "calls.def"
	ck_assert_str_eq(cg_call_name(CG_CALL_NONE), "?");
	ck_assert_str_eq(cg_call_name(CG_CALL_COUNT), "?");
	ck_assert_str_eq(cg_call_name(255), "?");
	ck_assert(cg_call_known(CG_CALL_NONE) && cg_call_known(CG_CALL_peek));
	ck_assert(!cg_call_known(CG_CALL_COUNT) && !cg_call_known(~0u));
}
END_TEST

static void cases(TCase *tc)
{
	tcase_add_test(tc, numbers_are_as_they_were);
	tcase_add_test(tc, every_number_is_one_calls);
	tcase_add_test(tc, names_go_with_numbers);
}
