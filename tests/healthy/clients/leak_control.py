"""Not healthy: keeps what it should have closed. It has to be told of, or the others' silence says nothing."""

import sys
import urllib.request

from drive import bursts

kept = []


def fetch():
    response = urllib.request.urlopen(sys.argv[1])
    response.read(1)
    kept.append(response)


bursts(fetch, rounds=1)
