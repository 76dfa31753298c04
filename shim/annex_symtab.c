/* annex_symtab.c: function names from symbol tables. */
#include "annex_parts.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

struct best {
	const char *name;
	GElf_Sym symbol;
};

static unsigned underscores(const char *name)
{
	return (unsigned)strspn(name, "_");
}

/* Of several names for the same code the one meant for people: the nearest, the plainest, then the visible one. */
static bool is_better(const struct best *best, const GElf_Sym *symbol, const char *name)
{
	if (!best->name)
		return true;
	if (symbol->st_value != best->symbol.st_value)
		return symbol->st_value > best->symbol.st_value;
	if (underscores(name) != underscores(best->name))
		return underscores(name) < underscores(best->name);
	return GELF_ST_BIND(symbol->st_info) == STB_GLOBAL && GELF_ST_BIND(best->symbol.st_info) != STB_GLOBAL;
}

static bool covers(const GElf_Sym *symbol, uint64_t pc)
{
	int type = GELF_ST_TYPE(symbol->st_info);
	return (type == STT_FUNC || type == STT_GNU_IFUNC) && symbol->st_shndx != SHN_UNDEF && pc >= symbol->st_value &&
	       pc - symbol->st_value < symbol->st_size;
}

static Elf_Scn *find_table(Elf *elf, GElf_Word wanted, GElf_Shdr *ret)
{
	Elf_Scn *section = NULL;
	while ((section = elf_nextscn(elf, section))) {
		if (gelf_getshdr(section, ret) && ret->sh_type == wanted)
			return section;
	}
	return NULL;
}

static const char *find_in(Elf *elf, GElf_Word wanted, uint64_t pc, struct cg_budget *budget)
{
	struct best best = {0};
	GElf_Shdr header;
	Elf_Scn *section = find_table(elf, wanted, &header);
	Elf_Data *data = section ? elf_getdata(section, NULL) : NULL;
	if (!data)
		return NULL;
	GElf_Sym symbol;
	for (int i = 0; gelf_getsym(data, i, &symbol) && !cg_budget_tick(budget); i++) {
		const char *name;
		if (!covers(&symbol, pc) || !(name = elf_strptr(elf, header.sh_link, symbol.st_name)) || !name[0])
			continue;
		if (is_better(&best, &symbol, name))
			best = (struct best){name, symbol};
	}
	return best.name;
}

/*
 * MiniDebugInfo is an xz'ed ELF file with nothing but a .symtab. libdw is linked with liblzma where distributions make
 * such files, so it is in the process already; the two names are part of liblzma's stable interface.
 */
typedef int decode_fn(uint64_t *memory_limit, uint32_t flags, const void *allocator, const uint8_t *in, size_t *in_at,
                      size_t in_size, uint8_t *out, size_t *out_at, size_t out_size);
enum { DECODED = 0, OUT_OF_ROOM = 10, PACKED_MAX = 4 << 20, UNPACKED_MAX = 64 << 20 };

static size_t unpack(const Elf_Data *packed, decode_fn *decode, void **ret, struct cg_budget *budget)
{
	for (size_t room = packed->d_size * 4; room <= UNPACKED_MAX && !cg_budget_over(budget); room *= 4) {
		uint64_t memory = UNPACKED_MAX;
		size_t in = 0, out = 0;
		void *data = malloc(room);
		if (!data)
			return 0;
		int r = decode(&memory, 0, NULL, packed->d_buf, &in, packed->d_size, data, &out, room);
		if (r == DECODED && out > 0) {
			*ret = data;
			return out;
		}
		free(data);
		if (r != OUT_OF_ROOM)
			return 0;
	}
	return 0;
}

static void open_mini(struct cg_binary *binary, struct cg_budget *budget)
{
	GElf_Shdr header;
	Elf_Scn *section = cg_image_section(binary->main.elf, ".gnu_debugdata", &header);
	binary->mini_tried = true;
	if (section && !cg_image_read(&binary->main, CG_PART_PACKED, budget)) {
		binary->mini_tried = !budget->cut;
		return;
	}
	Elf_Data *packed = section ? elf_rawdata(section, NULL) : NULL;
	if (!packed || packed->d_size == 0 || packed->d_size > PACKED_MAX)
		return;
	void *lzma = dlopen("liblzma.so.5", RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
	decode_fn *decode = lzma ? (decode_fn *)dlsym(lzma, "lzma_stream_buffer_decode") : NULL;
	size_t size = decode ? unpack(packed, decode, &binary->mini_data, budget) : 0;
	if (size)
		binary->mini = elf_memory(binary->mini_data, size);
	if (lzma)
		dlclose(lzma);
	binary->mini_tried = !budget->cut;
}

static const char *find_in_image(struct cg_image *image, GElf_Word wanted, uint64_t pc, struct cg_budget *budget)
{
	GElf_Shdr header;
	if (!image->elf || !find_table(image->elf, wanted, &header) || !cg_image_read(image, CG_PART_SYMBOLS, budget))
		return NULL;
	return find_in(image->elf, wanted, pc, budget);
}

const char *cg_symtab_find(struct cg_binary *binary, uint64_t pc, struct cg_budget *budget)
{
	const char *name = find_in_image(&binary->main, SHT_SYMTAB, pc, budget);
	if (!name)
		name = find_in_image(&binary->debug, SHT_SYMTAB, pc, budget);
	if (!name && !binary->mini_tried && !budget->cut)
		open_mini(binary, budget);
	if (!name && binary->mini)
		name = find_in(binary->mini, SHT_SYMTAB, pc, budget);
	return name ? name : find_in_image(&binary->main, SHT_DYNSYM, pc, budget);
}
