import sys

import httplib2

client = httplib2.Http()
for line in sys.stdin:
    for _ in range(int(line)):
        client.request(sys.argv[1])
    print("done", flush=True)
