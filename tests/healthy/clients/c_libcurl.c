/* A pool of libcurl's easy handles that share nothing, as C programs keep them: one per worker, each with its cache. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

static size_t swallow(char *data, size_t size, size_t count, void *to)
{
	(void)data, (void)to;
	return size * count;
}

int main(int argc, char **argv)
{
	enum { MOST = 32 };
	static CURL *handles[MOST];
	char line[32];
	if (argc < 2 || curl_global_init(CURL_GLOBAL_ALL))
		return 2;
	while (fgets(line, sizeof line, stdin)) {
		int workers = atoi(line);
		for (int i = 0; i < workers && i < MOST; i++) {
			if (!handles[i] && !(handles[i] = curl_easy_init()))
				return 2;
			curl_easy_setopt(handles[i], CURLOPT_URL, argv[1]);
			curl_easy_setopt(handles[i], CURLOPT_WRITEFUNCTION, swallow);
			curl_easy_perform(handles[i]);
		}
		puts("done");
		fflush(stdout);
	}
	return 0;
}
