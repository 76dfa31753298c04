/* libcurl's multi handle: one cache of connections for all transfers. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

static size_t swallow(char *data, size_t size, size_t count, void *to)
{
	(void)data, (void)to;
	return size * count;
}

static void burst(CURLM *multi, const char *url, int workers)
{
	enum { MOST = 32 };
	CURL *handles[MOST];
	int running = 0, count = workers < MOST ? workers : MOST;
	for (int i = 0; i < count; i++) {
		handles[i] = curl_easy_init();
		curl_easy_setopt(handles[i], CURLOPT_URL, url);
		curl_easy_setopt(handles[i], CURLOPT_WRITEFUNCTION, swallow);
		curl_multi_add_handle(multi, handles[i]);
	}
	do {
		curl_multi_perform(multi, &running);
		curl_multi_wait(multi, NULL, 0, 100, NULL);
	} while (running);
	for (int i = 0; i < count; i++) {
		curl_multi_remove_handle(multi, handles[i]);
		curl_easy_cleanup(handles[i]);
	}
}

int main(int argc, char **argv)
{
	char line[32];
	CURLM *multi = curl_global_init(CURL_GLOBAL_ALL) ? NULL : curl_multi_init();
	if (argc < 2 || !multi)
		return 2;
	while (fgets(line, sizeof line, stdin)) {
		burst(multi, argv[1], atoi(line));
		puts("done");
		fflush(stdout);
	}
	curl_multi_cleanup(multi);
	return 0;
}
