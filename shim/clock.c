/* clock.c: finds the kernel's clock in the vdso, the object that it maps into every process. */
#include "clock.h"

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>

cg_clock_function *cg_clock_vdso;

#if defined(__x86_64__)
static const char wanted[] = "__vdso_clock_gettime";
#else
static const char wanted[] = "__kernel_clock_gettime";
#endif

enum {
	PAGE = 4096,   /* the least that is mapped, and where the headers have to be */
	MOST = 1 << 20 /* of an object: kernels' have a few pages, and no sum of an address and less than this wraps */
};

/* What is mapped: addresses in the object count from `first`. Nothing beyond `size` is read, whatever a table says. */
struct image {
	const char *start;
	ElfW(Addr) first;
	size_t size;
};

struct tables {
	const char *symbols, *names;
	ElfW(Addr) hash, gnu_hash;
	size_t names_size;
};

static const void *part(const struct image *image, ElfW(Addr) address, size_t size)
{
	ElfW(Addr) offset = address - image->first;
	return offset <= image->size && size <= image->size - offset ? image->start + offset : NULL;
}

static uint32_t word(const struct image *image, ElfW(Addr) address)
{
	const void *at = part(image, address, sizeof(uint32_t));
	uint32_t value = 0;
	if (at)
		memcpy(&value, at, sizeof value);
	return value;
}

/* The segment at the start of the file, and where the dynamic section is. */
static bool read_headers(const ElfW(Ehdr) * header, struct image *ret, ElfW(Phdr) * ret_dynamic)
{
	*ret_dynamic = (ElfW(Phdr)){0};
	if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_phentsize != sizeof(ElfW(Phdr)) ||
	    header->e_phoff > PAGE || header->e_phoff + header->e_phnum * sizeof(ElfW(Phdr)) > PAGE)
		return false;
	for (unsigned i = 0; i < header->e_phnum; i++) {
		ElfW(Phdr) p; /* copied, for the tables of a damaged object are not aligned */
		memcpy(&p, (const char *)header + header->e_phoff + i * sizeof p, sizeof p);
		if (p.p_type == PT_LOAD && p.p_offset == 0 && !ret->size)
			*ret = (struct image){(const char *)header, p.p_vaddr, p.p_memsz};
		else if (p.p_type == PT_DYNAMIC)
			*ret_dynamic = p;
	}
	return ret->size && ret->size <= MOST && ret_dynamic->p_memsz;
}

static void read_dynamic(const struct image *image, const ElfW(Phdr) * p, struct tables *t)
{
	ElfW(Addr) symbols = 0, names = 0;
	const char *at = part(image, p->p_vaddr, p->p_memsz);
	ElfW(Dyn) d;
	for (size_t n = at ? p->p_memsz / sizeof d : 0; n; n--, at += sizeof d) {
		memcpy(&d, at, sizeof d);
		if (d.d_tag == DT_NULL)
			break;
		if (d.d_tag == DT_SYMTAB)
			symbols = d.d_un.d_ptr;
		else if (d.d_tag == DT_STRTAB)
			names = d.d_un.d_ptr;
		else if (d.d_tag == DT_STRSZ)
			t->names_size = d.d_un.d_val;
		else if (d.d_tag == DT_HASH)
			t->hash = d.d_un.d_ptr;
		else if (d.d_tag == DT_GNU_HASH)
			t->gnu_hash = d.d_un.d_ptr;
	}
	t->symbols = symbols ? part(image, symbols, sizeof(ElfW(Sym))) : NULL;
	t->names = names ? part(image, names, t->names_size) : NULL;
}

/* Only the hash tables tell how many symbols there are; kernels have one or both. */
static size_t count_symbols(const struct image *image, const struct tables *t)
{
	if (t->hash)
		return word(image, t->hash + 4);
	size_t buckets = word(image, t->gnu_hash), first = word(image, t->gnu_hash + 4), last = 0;
	ElfW(Addr) bucket = t->gnu_hash + 16 + word(image, t->gnu_hash + 8) * sizeof(ElfW(Addr));
	ElfW(Addr) chain = bucket + buckets * 4;
	for (size_t i = 0; i < buckets && i < image->size; i++)
		if (word(image, bucket + i * 4) > last)
			last = word(image, bucket + i * 4);
	if (!t->gnu_hash || last < first)
		return 0;
	while (part(image, chain + (last - first) * 4, 4) && !(word(image, chain + (last - first) * 4) & 1))
		last++;
	return last + 1;
}

static const void *find(const struct image *image, const struct tables *t)
{
	size_t most = (size_t)(image->start + image->size - t->symbols) / sizeof(ElfW(Sym));
	size_t count = count_symbols(image, t);
	for (size_t i = 1; i < count && i < most; i++) {
		ElfW(Sym) symbol;
		memcpy(&symbol, t->symbols + i * sizeof symbol, sizeof symbol);
		if (symbol.st_shndx != SHN_UNDEF && symbol.st_name < t->names_size &&
		    t->names_size - symbol.st_name >= sizeof wanted &&
		    memcmp(t->names + symbol.st_name, wanted, sizeof wanted) == 0)
			return part(image, symbol.st_value, 1);
	}
	return NULL;
}

cg_clock_function *cg_clock_find(const void *object)
{
	struct image image = {0};
	struct tables t = {0};
	ElfW(Phdr) dynamic;
	cg_clock_function *function = NULL;
	if (!object || !read_headers(object, &image, &dynamic))
		return NULL;
	read_dynamic(&image, &dynamic, &t);
	const void *found = t.symbols && t.names ? find(&image, &t) : NULL;
	memcpy(&function, &found, sizeof function); /* C has no cast from an object's to a function's pointer */
	return function;
}

void cg_clock_init(void)
{
	uintptr_t object = getauxval(AT_SYSINFO_EHDR);
	cg_clock_vdso = cg_clock_find((const void *)object); // NOLINT(performance-no-int-to-ptr)
}
