import sys

import requests
from requests.adapters import HTTPAdapter

from drive import bursts

session = requests.Session()
session.mount("http://", HTTPAdapter(pool_maxsize=10, max_retries=3))
session.mount("https://", HTTPAdapter(pool_maxsize=10, max_retries=3))
session.verify = sys.argv[2] if len(sys.argv) > 2 else None
bursts(lambda: session.get(sys.argv[1]).raise_for_status())
