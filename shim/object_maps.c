/* object_maps.c: reads /proc/self/maps. */
#include "object_maps.h"

#include <stdatomic.h>
#include <string.h>

#include "arena.h"
#include "fmt.h"
#include "guard.h"
#include "sys.h"

enum { KEPT = 256, LINE = 512 };
enum { FREE, WRITING, VALID };

/* Whoever copies one looks at its turn before and after: it may be written anew meanwhile. */
static struct {
	_Atomic uint32_t state, turn;
	struct cg_object object;
} kept[KEPT] CG_LARGE;
static _Atomic unsigned next_place;

struct mapping {
	uint64_t start, end, offset, device, inode;
	const char *path;
};

static bool is_kept(uint64_t address, struct cg_object *ret)
{
	for (unsigned i = 0; i < KEPT; i++) {
		uint32_t turn = atomic_load(&kept[i].turn);
		if (atomic_load(&kept[i].state) != VALID)
			continue;
		*ret = kept[i].object;
		atomic_thread_fence(memory_order_acquire);
		if (address >= ret->start && address < ret->end && atomic_load(&kept[i].turn) == turn &&
		    atomic_load(&kept[i].state) == VALID)
			return true;
	}
	return false;
}

/* A full table starts over: the oldest is written over. */
void cg_object_maps_keep(const struct cg_object *object)
{
	unsigned place = atomic_fetch_add(&next_place, 1) % KEPT;
	uint32_t seen = atomic_load(&kept[place].state);
	if (seen == WRITING || !atomic_compare_exchange_strong(&kept[place].state, &seen, WRITING))
		return;
	atomic_fetch_add(&kept[place].turn, 1);
	kept[place].object = *object;
	atomic_store(&kept[place].state, VALID);
}

void cg_object_maps_forget(void)
{
	for (unsigned i = 0; i < KEPT; i++) {
		uint32_t valid = VALID;
		atomic_compare_exchange_strong(&kept[i].state, &valid, FREE);
	}
}

static uint64_t hex(const char **at)
{
	uint64_t value = 0;
	for (;; (*at)++) {
		char c = **at;
		if (c >= '0' && c <= '9')
			value = value * 16 + (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value * 16 + (uint64_t)(c - 'a' + 10);
		else
			return value;
	}
}

static void skip(const char **at, char past)
{
	while (**at && **at != past)
		(*at)++;
	if (**at)
		(*at)++;
}

/* "7f00-7f10 r-xp 00001000 08:01 4711   /lib/libc.so.6" */
static void parse(const char *at, struct mapping *ret)
{
	ret->start = hex(&at);
	skip(&at, '-');
	ret->end = hex(&at);
	skip(&at, ' ');
	skip(&at, ' ');
	ret->offset = hex(&at);
	skip(&at, ' ');
	ret->device = hex(&at) << 32;
	skip(&at, ':');
	ret->device |= hex(&at);
	skip(&at, ' ');
	ret->inode = 0;
	for (; *at >= '0' && *at <= '9'; at++)
		ret->inode = ret->inode * 10 + (uint64_t)(*at - '0');
	while (*at == ' ')
		at++;
	ret->path = at;
}

/* Calls visit for each mapping until it returns false. What of a line does not fit is dropped from its path. */
static void each(bool (*visit)(const struct mapping *, void *), void *context)
{
	char text[LINE], line[LINE];
	size_t len = 0;
	struct mapping mapping;
	int fd = atomic_load(&cg_guard.sealed) ? -1 : cg_sys_open("/proc/self/maps", O_RDONLY, 0);
	ssize_t n = 0;
	while (fd >= 0 && (n = (ssize_t)CG_SYS3(SYS_read, fd, text, sizeof text)) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			if (text[i] != '\n') {
				if (len < sizeof line - 1)
					line[len++] = text[i];
				continue;
			}
			line[len] = '\0';
			len = 0;
			parse(line, &mapping);
			if (!visit(&mapping, context))
				goto out;
		}
	}
out:
	if (fd >= 0)
		cg_sys_close(fd);
}

struct search {
	uint64_t address;
	struct cg_object object; /* the mappings of one file in a row */
	uint64_t device, inode;
	bool has;
};

static bool search_visit(const struct mapping *m, void *context)
{
	struct search *search = context;
	bool vdso = strncmp(m->path, "[vdso]", 6) == 0;
	bool more = search->object.end && m->inode && m->inode == search->inode && m->device == search->device &&
	            m->offset != 0;
	if (!more) {
		if (search->has)
			return false;
		/* An object begins with the start of its file, which is where its headers are. */
		search->object = (struct cg_object){.start = m->start};
		search->inode = m->inode;
		search->device = m->device;
		if (m->offset != 0 || (!m->inode && !vdso))
			search->object.start = 0;
	}
	search->object.end = search->object.start ? m->end : 0;
	if (search->object.start && search->address >= m->start && search->address < m->end)
		search->has = true;
	return m->start <= search->address || search->has;
}

bool cg_object_maps_find(uint64_t address, struct cg_object *ret)
{
	struct search search = {.address = address};
	if (is_kept(address, ret))
		return true;
	each(search_visit, &search);
	if (!search.has)
		return false;
	*ret = search.object;
	ret->identity = search.inode ^ search.device << 24;
	return true;
}

struct path_search {
	uint64_t start;
	char *ret;
};

static bool path_visit(const struct mapping *m, void *context)
{
	struct path_search *search = context;
	struct cg_buf text;
	if (m->start != search->start)
		return m->start < search->start;
	cg_buf_init(&text, search->ret, CG_OBJECT_PATH);
	cg_buf_str(&text, m->path);
	return false;
}

void cg_object_maps_path(const struct cg_object *object, char ret[CG_OBJECT_PATH])
{
	struct path_search search = {object->start, ret};
	each(path_visit, &search);
}
