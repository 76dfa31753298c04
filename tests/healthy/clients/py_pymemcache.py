import sys

from pymemcache.client.base import PooledClient
from pymemcache.exceptions import MemcacheError

from drive import bursts

client = PooledClient(("127.0.0.1", int(sys.argv[1])), max_pool_size=10)


def store():
    for _ in range(12):
        try:
            client.set("a", "b")
            return
        except (OSError, MemcacheError):
            continue


bursts(store)
