import sys

import urllib3

from drive import bursts

pool = urllib3.PoolManager(num_pools=4, maxsize=8, retries=3)
bursts(lambda: pool.request("GET", sys.argv[1]).data)
