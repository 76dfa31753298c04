/*
 * unwind_bytes.h: numbers and pointers as unwind tables encode them.
 */
#ifndef CG_UNWIND_BYTES_H
#define CG_UNWIND_BYTES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Reading past the end gives zeros, and bad. */
struct cg_bytes {
	const uint8_t *at, *end;
	bool bad;
};

static inline uint64_t cg_bytes_fixed(struct cg_bytes *bytes, unsigned size)
{
	uint64_t value = 0;
	if ((uint64_t)(bytes->end - bytes->at) < size) {
		bytes->bad = true;
		bytes->at = bytes->end;
		return 0;
	}
	for (unsigned i = 0; i < size; i++) /* little-endian, as both architectures are */
		value |= (uint64_t)bytes->at[i] << (8 * i);
	bytes->at += size;
	return value;
}

static inline uint64_t cg_bytes_uleb(struct cg_bytes *bytes)
{
	uint64_t value = 0;
	for (unsigned shift = 0;; shift += 7) {
		uint64_t byte = cg_bytes_fixed(bytes, 1);
		if (shift < 64)
			value |= (byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
}

static inline int64_t cg_bytes_sleb(struct cg_bytes *bytes)
{
	uint64_t value = 0;
	for (unsigned shift = 0;;) {
		uint64_t byte = cg_bytes_fixed(bytes, 1);
		if (shift < 64)
			value |= (byte & 0x7f) << shift;
		shift += 7;
		if (byte & 0x80)
			continue;
		if ((byte & 0x40) && shift < 64)
			value |= ~(uint64_t)0 << shift;
		return (int64_t)value;
	}
}

/*
 * A pointer in one of DWARF's encodings; pc-relative or absolute. bad for the others, which nobody uses there. With
 * relative false the base is left out: a length has the format of a pointer.
 */
static inline uint64_t cg_bytes_pointer(struct cg_bytes *bytes, uint8_t encoding, bool relative)
{
	uint64_t here = (uint64_t)(uintptr_t)bytes->at, value;
	switch (encoding & 0x0f) {
	case 0x00: /* DW_EH_PE_absptr */
	case 0x04: /* udata8 */
	case 0x0c: /* sdata8 */
		value = cg_bytes_fixed(bytes, 8);
		break;
	case 0x02: /* udata2 */
		value = cg_bytes_fixed(bytes, 2);
		break;
	case 0x03: /* udata4 */
		value = cg_bytes_fixed(bytes, 4);
		break;
	case 0x0a: /* sdata2 */
		value = (uint64_t)(int64_t)(int16_t)cg_bytes_fixed(bytes, 2);
		break;
	case 0x0b: /* sdata4 */
		value = (uint64_t)(int64_t)(int32_t)cg_bytes_fixed(bytes, 4);
		break;
	default:
		bytes->bad = true;
		return 0;
	}
	if (!relative || (encoding & 0x70) == 0)
		return value;
	if ((encoding & 0x70) != 0x10)
		bytes->bad = true;
	return here + value;
}

#endif
