import eventlet
from eventlet import tpool

eventlet.monkey_patch()

import sys  # noqa: E402
import threading  # noqa: E402

import requests  # noqa: E402
from requests.adapters import HTTPAdapter  # noqa: E402

session = requests.Session()
session.mount("http://", HTTPAdapter(pool_maxsize=10, max_retries=3))
while line := tpool.execute(sys.stdin.readline):  # by a thread: a read here would stop the loop
    for _ in range(3):
        workers = [threading.Thread(target=session.get, args=(sys.argv[1],)) for _ in range(int(line))]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    print("done", flush=True)
