/* lib_reader: reads and writes for its callers, as a TLS library does: each at one address, whoever calls. */
#include <stddef.h>
#include <sys/types.h>
#include <unistd.h>

__attribute__((visibility("default"))) ssize_t reader_fill(int fd, void *bytes, size_t size);
__attribute__((visibility("default"))) ssize_t reader_flush(int fd, const void *bytes, size_t size);

ssize_t reader_fill(int fd, void *bytes, size_t size)
{
	volatile ssize_t n = read(fd, bytes, size);
	return n;
}

ssize_t reader_flush(int fd, const void *bytes, size_t size)
{
	volatile ssize_t n = write(fd, bytes, size);
	return n;
}
