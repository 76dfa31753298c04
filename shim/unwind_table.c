/* unwind_table.c: .eh_frame_hdr's sorted index, then the FDE and its CIE. */
#include "unwind_table.h"


struct index_entry {
	int32_t start, fde; /* relative to the index's header */
};

/* Is all of it in one segment that can be read? Those of packed programs' headers need not be there. */
static bool is_loaded(const struct cg_object *object, uint64_t from, uint64_t size)
{
	const ElfW(Ehdr) *elf = cg_object_elf(object);
	for (unsigned i = 0; elf && i < elf->e_phnum; i++) {
		const ElfW(Phdr) *p = &cg_object_headers(elf)[i];
		uint64_t start = cg_object_bias(elf) + p->p_vaddr;
		if (p->p_type == PT_LOAD && (p->p_flags & PF_R) && from >= start && from - start <= p->p_filesz &&
		    size <= p->p_filesz - (from - start))
			return true;
	}
	return false;
}

/* The bytes of an entry behind its length word; none for a terminator, or an entry of more than 4 GiB. */
static struct cg_bytes entry_at(const struct cg_object *object, uint64_t at)
{
	const uint8_t *bytes = (const uint8_t *)at; // NOLINT(performance-no-int-to-ptr)
	struct cg_bytes none = {.at = bytes, .end = bytes, .bad = true};
	if (!is_loaded(object, at, 4))
		return none;
	struct cg_bytes length = {.at = bytes, .end = bytes + 4};
	uint64_t size = cg_bytes_fixed(&length, 4);
	if (size == 0 || size == 0xffffffff || !is_loaded(object, at, 4 + size))
		return none;
	return (struct cg_bytes){.at = bytes + 4, .end = bytes + 4 + size};
}

/* Where the entry for the last function that begins at or before pc is; 0 for none. */
static uint64_t last_at_or_before(const struct cg_object *object, uint64_t pc)
{
	enum { DATAREL_SDATA4 = 0x3b, HEAD = 12 };
	const uint8_t *hdr = (const uint8_t *)object->eh_frame_hdr; // NOLINT(performance-no-int-to-ptr)
	if (!hdr || !is_loaded(object, object->eh_frame_hdr, HEAD) || hdr[0] != 1 || hdr[3] != DATAREL_SDATA4)
		return 0;
	struct cg_bytes head = {.at = hdr + 4, .end = hdr + HEAD};
	(void)cg_bytes_pointer(&head, hdr[1], true);
	uint64_t count = cg_bytes_pointer(&head, hdr[2], true);
	const struct index_entry *index = (const struct index_entry *)(const void *)head.at;
	if (head.bad || !is_loaded(object, (uintptr_t)index, count * sizeof *index) || (uintptr_t)index % 4 != 0)
		return 0;
	uint64_t low = 0, high = count;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		if (object->eh_frame_hdr + (uint64_t)(int64_t)index[middle].start <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? object->eh_frame_hdr + (uint64_t)(int64_t)index[low - 1].fde : 0;
}

/* The augmentation "zPLRSB" and its data. False for one that is not known. */
static bool read_augmentation(struct cg_bytes *cie, const char *letters, uint8_t *encoding, bool *is_signal)
{
	if (*letters == '\0')
		return true;
	if (*letters++ != 'z')
		return false;
	uint64_t size = cg_bytes_uleb(cie);
	if (cie->bad || size > (uint64_t)(cie->end - cie->at))
		return false;
	struct cg_bytes data = {.at = cie->at, .end = cie->at + size};
	cie->at += size;
	for (; *letters; letters++) {
		if (*letters == 'R')
			*encoding = (uint8_t)cg_bytes_fixed(&data, 1);
		else if (*letters == 'L')
			(void)cg_bytes_fixed(&data, 1);
		else if (*letters == 'P')
			(void)cg_bytes_pointer(&data, (uint8_t)(cg_bytes_fixed(&data, 1) & 0x0f), false);
		else if (*letters == 'S')
			*is_signal = true;
		else if (*letters != 'B' && *letters != 'G')
			return false;
	}
	return !data.bad;
}

static bool read_cie(struct cg_bytes cie, struct cg_unwind_entry *ret, uint8_t *encoding, bool *has_data)
{
	if (cg_bytes_fixed(&cie, 4) != 0 || cie.bad)
		return false;
	uint64_t version = cg_bytes_fixed(&cie, 1);
	const char *letters = (const char *)cie.at;
	while (cg_bytes_fixed(&cie, 1))
		;
	ret->code_align = cg_bytes_uleb(&cie);
	ret->data_align = cg_bytes_sleb(&cie);
	ret->ra_register = version == 1 ? cg_bytes_fixed(&cie, 1) : cg_bytes_uleb(&cie);
	ret->is_signal_frame = false;
	*encoding = 0;
	*has_data = letters[0] == 'z';
	if (cie.bad || (version != 1 && version != 3) ||
	    !read_augmentation(&cie, letters, encoding, &ret->is_signal_frame))
		return false;
	ret->common = cie;
	return true;
}

bool cg_unwind_table_find(const struct cg_object *object, uint64_t pc, struct cg_unwind_entry *ret)
{
	uint8_t encoding;
	bool has_data;
	uint64_t at = last_at_or_before(object, pc);
	struct cg_bytes fde = entry_at(object, at);
	uint64_t from = (uint64_t)(uintptr_t)fde.at, back = cg_bytes_fixed(&fde, 4);
	if (!at || fde.bad || !back || !read_cie(entry_at(object, from - back), ret, &encoding, &has_data))
		return false;
	ret->start = cg_bytes_pointer(&fde, encoding, true);
	uint64_t size = cg_bytes_pointer(&fde, encoding, false);
	if (has_data) {
		uint64_t data = cg_bytes_uleb(&fde);
		if (data > (uint64_t)(fde.end - fde.at))
			return false;
		fde.at += data;
	}
	ret->own = fde;
	return !fde.bad && pc >= ret->start && pc - ret->start < size;
}
