/*
 * naming_frames.c: the frames of a merged address, named as well as this machine can.
 */
#include <string.h>
#include <stdlib.h>

#include "naming.h"
#include "symbol.h"

static json_t *frame_of(const struct cg_code_address *address, const char *function, const char *file, json_int_t line,
                        bool inlined)
{
	json_t *frame = json_object();
	json_object_set_new(frame, "module", json_string(address->module));
	json_object_set_new(frame, "build_id", address->build_id ? json_string(address->build_id) : json_null());
	json_object_set_new(frame, "offset", address->offset ? json_string(address->offset) : json_null());
	if (address->run > 1)
		json_object_set_new(frame, "frames", json_integer(address->run));
	if (function)
		json_object_set_new(frame, "function", json_string(function));
	if (file)
		json_object_set_new(frame, "file", json_string(file));
	if (file && line > 0)
		json_object_set_new(frame, "line", json_integer(line));
	if (inlined)
		json_object_set_new(frame, "inlined", json_true());
	return frame;
}

static json_t *as_told(const struct cg_code_address *address)
{
	json_t *array = json_array();
	for (unsigned i = 0; i < address->count; i++)
		json_array_append_new(array, frame_of(address, address->names[i].function, address->names[i].file,
		                                      address->names[i].line, i + 1 < address->count));
	return array;
}

static bool set_module(const struct cg_code_address *address, const char *path, struct cg_module *ret)
{
	size_t length = strlen(address->build_id) / 2;
	*ret = (struct cg_module){.state = 2, .end = UINT64_MAX};
	if (length > sizeof ret->build_id || strlen(path) >= sizeof ret->path)
		return false;
	for (size_t i = 0; i < length; i++) {
		char digits[3] = {address->build_id[2 * i], address->build_id[2 * i + 1], '\0'};
		ret->build_id[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	ret->build_id_len = (uint8_t)length;
	memcpy(ret->path, path, strlen(path) + 1);
	return true;
}

/* How many frames the annex has names for; 0 for none. */
static unsigned look_up(const struct cg_code_address *address, const char *path, struct cg_frame *frames)
{
	struct cg_module module;
	if (!path || !set_module(address, path, &module))
		return 0;
	unsigned n = cg_symbol_name(&module, strtoull(address->offset, NULL, 16) + 1, frames, CG_FRAMES_PER_IP);
	return n && frames[n - 1].function[0] ? n : 0;
}

/* An answer without lines is worth asking a server for better. */
static json_t *as_found(const struct cg_code_address *address)
{
	struct cg_frame frames[CG_FRAMES_PER_IP], fetched[CG_FRAMES_PER_IP];
	unsigned n = look_up(address, cg_naming_find(address->module, address->build_id), frames);
	if (!n || !frames[n - 1].file[0]) {
		unsigned better = look_up(address, cg_naming_fetch(address->build_id), fetched);
		if (better && (!n || fetched[better - 1].file[0])) {
			memcpy(frames, fetched, sizeof frames);
			n = better;
		}
	}
	const char *told = address->names[address->count - 1].function;
	if (!n || (told && !frames[n - 1].file[0]))
		return NULL;
	json_t *array = json_array();
	for (unsigned i = 0; i < n; i++)
		json_array_append_new(array,
		                      frame_of(address, frames[i].function, frames[i].file[0] ? frames[i].file : NULL,
		                               frames[i].line, frames[i].inlined));
	return array;
}

json_t *cg_naming_frames(struct cg_code_address *address)
{
	if (address->frames)
		return address->frames;
	bool named = address->names[address->count - 1].file != NULL;
	if (!named && address->run <= 1 && address->build_id && address->offset && strlen(address->build_id) >= 8)
		address->frames = as_found(address);
	if (!address->frames)
		address->frames = as_told(address);
	return address->frames;
}
