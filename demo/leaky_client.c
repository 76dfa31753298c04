/*
 * leaky_client.c: a libcurl client that keeps its easy handles "for later", and with each handle a connection that the
 * server has closed long ago.
 *
 * Each easy handle has a connection cache of its own. After a transfer the connection stays in it for the next one;
 * when the server closes it, libcurl does not look until that handle is used again. One handle that is busy is normal,
 * a hundred idle ones are a hundred sockets in CLOSE_WAIT.
 *
 * The cure is any of these: curl_easy_cleanup() for a handle that has done its work; one handle used again and again,
 * or one multi handle; CURLOPT_FORBID_REUSE for a client whose next request is far away.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { HANDLES = 8 }; /* more than the five that pass for a cache of libcurl's */

static size_t ignore_body(char *data, size_t size, size_t n, void *context)
{
	(void)data;
	(void)context;
	return size * n;
}

static CURL *fetch(const char *url)
{
	CURL *handle = curl_easy_init();
	if (!handle)
		return NULL;
	curl_easy_setopt(handle, CURLOPT_URL, url);
	curl_easy_setopt(handle, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, ignore_body);
	CURLcode code = curl_easy_perform(handle);
	if (code != CURLE_OK)
		fprintf(stderr, "leaky_client: %s\n", curl_easy_strerror(code));
	return handle; /* the bug: the caller keeps it and never uses it again */
}

int main(int argc, char **argv)
{
	CURL *handles[HANDLES];
	if (argc != 3) {
		fprintf(stderr, "usage: leaky_client URL SECONDS\n");
		return EXIT_FAILURE;
	}
	curl_global_init(CURL_GLOBAL_ALL);
	for (unsigned i = 0; i < HANDLES; i++) {
		handles[i] = fetch(argv[1]);
		sleep(1); /* meanwhile the server closes it */
	}
	sleep((unsigned)atoi(argv[2])); /* other work */
	for (unsigned i = 0; i < HANDLES; i++)
		curl_easy_cleanup(handles[i]);
	curl_global_cleanup();
	return EXIT_SUCCESS;
}
