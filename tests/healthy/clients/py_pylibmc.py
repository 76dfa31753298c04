import sys

import pylibmc

from drive import bursts

pool = pylibmc.ClientPool(pylibmc.Client([f"127.0.0.1:{sys.argv[1]}"]), 8)


def store():
    with pool.reserve(block=True) as client:
        for _ in range(3):
            try:
                client.set("a", "b")
                return
            except pylibmc.Error:
                continue


bursts(store)
