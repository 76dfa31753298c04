/* preload.c: leaves this library out of what programs are handed that cannot load it. */
#include "preload.h"

#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <string.h>

#include "fmt.h"
#include "guard.h"
#include "sys.h"

#if defined(__x86_64__)
enum { MACHINE = EM_X86_64 };
#else
enum { MACHINE = EM_AARCH64 };
#endif

enum {
	FILE_START = 256, /* what the kernel looks at, a script's first line among it */
	SCRIPTS = 5,      /* an interpreter may be a script; the kernel follows no further */
	LONGEST = 1024,   /* of a name that is put together here; a longer one is not looked at */
	VARIABLES = 4096  /* more have no room on a stack: they are handed over as they are */
};
static const char variable[] = "LD_PRELOAD=";
static const char own_base[] = "libcloseguard.so";
static const char *own_name = "";

static int find_own(struct dl_phdr_info *info, size_t size, void *unused)
{
	uintptr_t here = (uintptr_t)find_own;
	(void)size;
	(void)unused;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		if (p->p_type == PT_LOAD && here - (info->dlpi_addr + p->p_vaddr) < p->p_memsz) {
			own_name = info->dlpi_name ? info->dlpi_name : "";
			return 1;
		}
	}
	return 0;
}

void cg_preload_init(void)
{
	dl_iterate_phdr(find_own, NULL);
}

static const char *base_of(const char *name)
{
	const char *slash = strrchr(name, '/');
	return slash ? slash + 1 : name;
}

/* The library under another name: a link to it. */
static bool is_own_file(const char *entry, size_t len)
{
	char path[LONGEST];
	struct stat one, own;
	if (len >= sizeof path || !memchr(entry, '/', len))
		return false;
	memcpy(path, entry, len);
	path[len] = '\0';
	return cg_sys_fstatat(AT_FDCWD, path, &one, 0) == 0 && cg_sys_fstatat(AT_FDCWD, own_name, &own, 0) == 0 &&
	       one.st_dev == own.st_dev && one.st_ino == own.st_ino;
}

static bool is_ours(const char *entry, size_t len, bool tokens)
{
	const char *slash = memrchr(entry, '/', len), *base = slash ? slash + 1 : entry;
	size_t base_len = len - (size_t)(base - entry), own_len = strlen(base_of(own_name));
	if (!tokens && memchr(entry, '$', len))
		return false;
	if (base_len >= sizeof own_base - 1 && memcmp(base, own_base, sizeof own_base - 1) == 0)
		return true;
	if (own_len && base_len == own_len && memcmp(base, base_of(own_name), own_len) == 0)
		return true;
	return is_own_file(entry, len);
}

size_t cg_preload_strip(const char *list, char *out, bool tokens)
{
	size_t n = 0;
	for (const char *at = list; *at;) {
		size_t len = strcspn(at, ": ");
		const char *next = at + len + (at[len] != '\0');
		if (len && !is_ours(at, len, tokens)) {
			if (n)
				out[n++] = ':';
			memmove(out + n, at, len);
			n += len;
		}
		at = next;
	}
	out[n] = '\0';
	return n;
}

static bool is_list(const char *string)
{
	return strncmp(string, variable, sizeof variable - 1) == 0;
}

/* What is written back is no longer than what was there. */
static size_t room_for(char *const envp[])
{
	size_t n = 0, strings = 0;
	for (; envp && envp[n]; n++)
		if (is_list(envp[n]))
			strings += strlen(envp[n]) + 1;
	return strings && n < VARIABLES ? (n + 1) * sizeof *envp + strings : 0;
}

char *const *cg_preload_without(char *const envp[], void *place, size_t room)
{
	size_t n = 0, to = 0;
	char **out = place;
	while (envp[n] && (n + 2) * sizeof *out < room)
		n++;
	char *text = (char *)&out[n + 1], *end = (char *)place + room;
	for (size_t i = 0; i < n; i++) {
		if (!is_list(envp[i])) {
			out[to++] = envp[i];
			continue;
		}
		if (strlen(envp[i]) >= (size_t)(end - text))
			continue;
		size_t len = cg_preload_strip(envp[i] + sizeof variable - 1, text + sizeof variable - 1, false);
		if (!len)
			continue;
		memcpy(text, variable, sizeof variable - 1);
		out[to++] = text;
		text += sizeof variable + len;
	}
	out[to] = NULL;
	return out;
}

/* Only of a regular file: to open something else may block, or do something. */
static ssize_t read_start(int dir, const char *path, int flags, char start[FILE_START])
{
	struct stat st;
	char link[32];
	if ((flags & AT_EMPTY_PATH) && path && !*path) {
		struct cg_buf name;
		ssize_t n = cg_sys_pread(dir, start, FILE_START, 0);
		if (n != -EBADF)
			return n;
		cg_buf_init(&name, link, sizeof link); /* open by O_PATH, or for execution alone */
		cg_buf_fmt(&name, "/proc/self/fd/%d", dir);
		path = link;
	}
	if (cg_sys_fstatat(dir, path, &st, flags & AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return -ENOEXEC;
	int fd = cg_sys_openat(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0)
		return fd;
	ssize_t n = (ssize_t)CG_SYS3(SYS_read, fd, start, FILE_START);
	cg_sys_close(fd);
	return n;
}

/* The interpreter of a script, ended in place; NULL: none that can be told. */
static char *interpreter_of(char start[FILE_START], size_t n)
{
	size_t at = 2, end;
	if (n < 3 || start[0] != '#' || start[1] != '!')
		return NULL;
	while (at < n && (start[at] == ' ' || start[at] == '\t'))
		at++;
	for (end = at; end < n && start[end] != '\n' && start[end] != ' ' && start[end] != '\t' && start[end];)
		end++;
	if (end == at || end == FILE_START)
		return NULL;
	start[end] = '\0';
	return start + at;
}

static bool is_other_elf(const char *start, size_t n)
{
	ElfW(Ehdr) header;
	if (n < offsetof(ElfW(Ehdr), e_version) || memcmp(start, ELFMAG, SELFMAG) != 0)
		return false;
	memcpy(&header, start, offsetof(ElfW(Ehdr), e_version));
	return header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
	       header.e_machine != MACHINE;
}

static bool is_foreign(int dir, const char *path, int flags)
{
	char starts[2][FILE_START];
	if (atomic_load_explicit(&cg_guard.sealed, memory_order_relaxed))
		return false;
	for (int i = 0; i <= SCRIPTS && path; i++) {
		char *start = starts[i % 2]; /* the other one holds the path */
		ssize_t n = read_start(dir, path, flags, start);
		if (n > 0 && is_other_elf(start, (size_t)n))
			return true;
		path = n > 0 ? interpreter_of(start, (size_t)n) : NULL;
		dir = AT_FDCWD;
		flags = 0;
	}
	return false;
}

size_t cg_preload_room(int dir, const char *path, int flags, char *const envp[])
{
	return is_foreign(dir, path, flags) ? room_for(envp) : 0;
}

/* By hand: an app may have a getenv of its own. */
static const char *search_list(void)
{
	extern char **environ;
	for (char **at = environ; at && *at; at++)
		if (strncmp(*at, "PATH=", 5) == 0)
			return *at + 5;
	return "/bin:/usr/bin";
}

/* One folder of the list and the file's name. An empty one is the current folder. */
static bool join(char path[LONGEST], const char *folder, size_t len, const char *file)
{
	size_t file_len = strlen(file);
	if (len + file_len + 2 > LONGEST)
		return false;
	memcpy(path, folder, len);
	if (len)
		path[len++] = '/';
	memcpy(path + len, file, file_len + 1);
	return true;
}

/* The first that can be executed is taken to be the one that libc will find. */
size_t cg_preload_room_in_path(const char *file, char *const envp[])
{
	char path[LONGEST];
	struct stat st;
	if (strchr(file, '/'))
		return cg_preload_room(AT_FDCWD, file, 0, envp);
	if (!*file || atomic_load_explicit(&cg_guard.sealed, memory_order_relaxed))
		return 0;
	for (const char *list = search_list();; list++) {
		size_t len = strcspn(list, ":");
		if (join(path, list, len, file) && cg_sys_fstatat(AT_FDCWD, path, &st, 0) == 0 &&
		    S_ISREG(st.st_mode) && (st.st_mode & 0111))
			return cg_preload_room(AT_FDCWD, path, 0, envp);
		list += len;
		if (!*list)
			return 0;
	}
}
