from gevent import get_hub, monkey

monkey.patch_all()

import sys  # noqa: E402
import threading  # noqa: E402

import requests  # noqa: E402
from requests.adapters import HTTPAdapter  # noqa: E402

session = requests.Session()
session.mount("http://", HTTPAdapter(pool_maxsize=10, max_retries=3))
# A read in the main greenlet would stop the loop, which then does not get to what it is registered for.
while line := get_hub().threadpool.apply(sys.stdin.readline):
    for _ in range(3):
        workers = [threading.Thread(target=session.get, args=(sys.argv[1],)) for _ in range(int(line))]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    print("done", flush=True)
