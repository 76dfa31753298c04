/*
 * fuzz_log.c: any bytes as a log, a compressed log or a saved report, to the last printer: no crash, no leak.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../cli/log_read.h"
#include "../../cli/report_folded.h"
#include "../../cli/report_html.h"
#include "../../cli/report_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void show(const struct cg_input *input)
{
	(void)cg_input_position(input);
}

static void print(const json_t *document)
{
	static FILE *nowhere;
	if (!nowhere)
		nowhere = fopen("/dev/null", "we");
	if (!nowhere || !document)
		abort();
	struct cg_paper paper = {.out = nowhere, .width = 40, .colour = true};
	cg_report_text_write(&paper, document);
	cg_report_folded_write(nowhere, document, "opened");
	if (cg_report_html_write(nowhere, document) < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64], why[CG_RECORDING_WHY];
	struct cg_merge merge;
	struct cg_input input;
	int fd = memfd_create("log", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) != 0)
		abort();
	snprintf(path, sizeof path, "/dev/fd/%d", fd);
	if (cg_input_open(path, &input, why) < 0 || cg_merge_begin(&merge) < 0)
		abort();
	int error = cg_input_is_report(&input) ? cg_log_read_report(&merge, &input, why)
	                                       : cg_log_read(&merge, &input, show, why);
	if (error && (!*why || strchr(why, '\n')))
		abort(); /* one line says what is wrong */
	json_t *document = cg_merge_document(&merge);
	print(document);
	json_decref(document);
	cg_merge_end(&merge);
	cg_input_close(&input);
	close(fd);
	return 0;
}
