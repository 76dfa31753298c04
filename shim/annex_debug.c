/* annex_debug.c: finds the debug information of a file: in it, or in a separate file. */
#include "annex_parts.h"
#include "annex.h"

#include <elfutils/libdwelf.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STANDARD_ROOT "/usr/lib/debug"
static char root[PATH_MAX] = STANDARD_ROOT;

/* Compressed sections are unpacked whole when they are opened, at about 200 MB/s, which cannot be interrupted. */
static const uint64_t unpack_ns_per_byte = 5;

__attribute__((visibility("default"))) void cg_annex_debug_root(const char *directory)
{
	snprintf(root, sizeof root, "%s", directory ? directory : STANDARD_ROOT);
	cg_files_reset();
}

static bool has_dwarf(Elf *elf)
{
	GElf_Shdr header;
	return cg_image_section(elf, ".debug_info", &header) || cg_image_section(elf, ".zdebug_info", &header);
}

static uint64_t unpacked_size(Elf *elf)
{
	uint64_t sum = 0;
	size_t names;
	if (elf_getshdrstrndx(elf, &names) != 0)
		return 0;
	for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section));) {
		GElf_Shdr header;
		GElf_Chdr packed;
		const char *name;
		if (!gelf_getshdr(section, &header) || !(name = elf_strptr(elf, names, header.sh_name)))
			continue;
		if (strncmp(name, ".zdebug", 7) == 0) {
			ssize_t size = dwelf_scn_gnu_compressed_size(section);
			sum += size > 0 ? (uint64_t)size : 0;
		} else if ((header.sh_flags & SHF_COMPRESSED) && gelf_getchdr(section, &packed)) {
			sum += packed.ch_size < UINT32_MAX ? packed.ch_size : UINT32_MAX;
		}
	}
	return sum;
}

/* Memory that other modules' files have comes back when those are let go. */
static bool take(struct cg_binary *binary, uint64_t size)
{
	if (!cg_annex_memory_take(size) && !(cg_files_drop_others(binary) && cg_annex_memory_take(size)))
		return false;
	binary->unpacked += size;
	return true;
}

static bool read_dwarf(struct cg_binary *binary, struct cg_image *image, struct cg_budget *budget)
{
	bool cut = budget->cut;
	if (cg_image_read(image, CG_PART_DWARF, budget))
		return true;
	if (!budget->cut || cg_budget_left(budget) == 0 || !cg_files_drop_others(binary))
		return false;
	budget->cut = cut;
	return cg_image_read(image, CG_PART_DWARF, budget);
}

/* False for now when time or memory is short. *ret is NULL when there is nothing that can be read. */
static bool begin(struct cg_binary *binary, struct cg_image *image, struct cg_budget *budget, Dwarf **ret)
{
	*ret = NULL;
	if (!read_dwarf(binary, image, budget))
		return !budget->cut;
	uint64_t size = unpacked_size(image->elf);
	if (cg_annex_memory_never(size))
		return true;
	if (size * unpack_ns_per_byte > cg_budget_left(budget) || !take(binary, size)) {
		budget->cut = true;
		return false;
	}
	*ret = dwarf_begin_elf(image->elf, DWARF_C_READ, NULL);
	return true;
}

/* What a program short of descriptors or memory cannot open now counts as found too late, not as missing. */
static bool try_open(const char *path, struct cg_budget *budget, struct cg_image *ret)
{
	if (cg_budget_over(budget))
		return false;
	int r = cg_image_open(path, ret);
	if (r == -EMFILE || r == -ENFILE || r == -ENOMEM)
		budget->cut = true;
	return r == 0;
}

static bool by_id(const uint8_t *id, size_t len, struct cg_budget *budget, struct cg_image *ret)
{
	char path[PATH_MAX + 80], hex[2 * 64 + 1];
	if (len < 2 || len > 64)
		return false;
	for (size_t i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", id[i]);
	int n = snprintf(path, sizeof path, "%s/.build-id/%.2s/%s.debug", root, hex, hex + 2);
	if (n < 0 || n >= (int)sizeof path || !try_open(path, budget, ret))
		return false;
	if (cg_image_has_id(ret, id, len))
		return true;
	cg_image_close(ret);
	return false;
}

struct link {
	const char *name;
	uint32_t crc;
	const struct cg_image *main;
};

/* A build-id tells a debug file's sameness better than a checksum and costs nothing; without one, all of it is read. */
static bool open_linked(const struct link *link, const char *path, struct cg_budget *budget, struct cg_image *ret)
{
	uint32_t crc = 0;
	struct cg_image found = {0};
	if (!try_open(path, budget, &found))
		return false;
	const struct cg_image *main = link->main;
	bool same = main->build_id_len && found.build_id_len
	                ? cg_image_has_id(&found, main->build_id, main->build_id_len)
	                : cg_image_crc32(&found, budget, &crc) && crc == link->crc;
	if (!same || found.file_id == main->file_id) {
		cg_image_close(&found);
		return false;
	}
	*ret = found;
	return true;
}

static bool by_link_in(const struct link *link, const char *file, struct cg_budget *budget, struct cg_image *ret)
{
	char path[3 * PATH_MAX];
	const char *slash = strrchr(file, '/');
	int dir_len = slash ? (int)(slash - file) : 1;
	const char *dir = slash ? file : ".";
	const char *const patterns[] = {"%s%.*s/%s", "%s%.*s/.debug/%s", "%s%.*s/%s"};
	for (unsigned i = 0; i < 3; i++) {
		const char *start = i == 2 ? root : "";
		const char *format = patterns[i];
		if (i == 2 && file[0] != '/')
			break;
		snprintf(path, sizeof path, format, start, dir_len, dir,
		         link->name); // NOLINT(clang-diagnostic-format-nonliteral)
		if (open_linked(link, path, budget, ret))
			return true;
	}
	return false;
}

static bool by_link(const struct cg_binary *binary, struct cg_budget *budget, struct cg_image *ret)
{
	char *real = NULL;
	GElf_Word crc;
	struct link link = {.main = &binary->main};
	link.name = dwelf_elf_gnu_debuglink(binary->main.elf, &crc);
	if (!link.name || !link.name[0] || strchr(link.name, '/') || strlen(link.name) > NAME_MAX)
		return false;
	link.crc = crc;
	bool found = by_link_in(&link, binary->name, budget, ret);
	if (!found && (real = realpath(binary->name, NULL)) && strcmp(real, binary->name) != 0)
		found = by_link_in(&link, real, budget, ret);
	free(real);
	return found;
}

/* The part that dwz shares between debug files. Without it many names are missing, but not all. */
static bool open_alt(struct cg_binary *binary, const struct cg_image *holder, struct cg_budget *budget)
{
	const char *file = holder == &binary->main ? binary->name : holder->path;
	const char *name, *slash = strrchr(file, '/');
	const void *id;
	char path[2 * PATH_MAX];
	ssize_t len = dwelf_dwarf_gnu_debugaltlink(binary->dwarf, &name, &id);
	if (len <= 0 || binary->alt_done)
		return true;
	snprintf(path, sizeof path, "%.*s%s", name[0] != '/' && slash ? (int)(slash + 1 - file) : 0, file, name);
	if (!binary->alt.path && try_open(path, budget, &binary->alt) &&
	    !cg_image_has_id(&binary->alt, id, (size_t)len))
		cg_image_close(&binary->alt);
	if ((binary->alt.path || by_id(id, (size_t)len, budget, &binary->alt)) &&
	    !begin(binary, &binary->alt, budget, &binary->alt_dwarf))
		return false;
	binary->alt_done = !budget->cut;
	if (binary->alt_dwarf)
		dwarf_setalt(binary->dwarf, binary->alt_dwarf);
	return binary->alt_done;
}

static bool search(struct cg_binary *binary, struct cg_budget *budget)
{
	const struct cg_image *main = &binary->main;
	binary->searched = has_dwarf(main->elf) || by_id(main->build_id, main->build_id_len, budget, &binary->debug) ||
	                   by_link(binary, budget, &binary->debug) || !budget->cut;
	return binary->searched;
}

Dwarf *cg_debug_dwarf(struct cg_binary *binary, struct cg_budget *budget)
{
	if (binary->no_dwarf || (!binary->searched && !search(binary, budget)))
		return NULL;
	struct cg_image *holder = binary->debug.path ? &binary->debug : &binary->main;
	if (!binary->dwarf) {
		if (!begin(binary, holder, budget, &binary->dwarf))
			return NULL;
		binary->no_dwarf = !binary->dwarf;
	}
	return !binary->no_dwarf && open_alt(binary, holder, budget) ? binary->dwarf : NULL;
}

void cg_debug_close(struct cg_binary *binary)
{
	dwarf_end(binary->dwarf);
	dwarf_end(binary->alt_dwarf);
}
