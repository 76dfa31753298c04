import sys

import httpx

from drive import bursts

client = httpx.Client(verify=sys.argv[2] if len(sys.argv) > 2 else True, limits=httpx.Limits(keepalive_expiry=None),
                      transport=None)


def fetch():
    for _ in range(3):  # a connection that has just been closed by the server is the caller's to try again
        try:
            return client.get(sys.argv[1]).raise_for_status()
        except httpx.TransportError:
            continue
    return None


bursts(fetch)
