import sys

import redis

from drive import bursts

pool = redis.Redis(port=int(sys.argv[1]), retry_on_error=[redis.ConnectionError], retry=redis.retry.Retry(
    redis.backoff.NoBackoff(), 3))
bursts(lambda: pool.set("a", "b"))
