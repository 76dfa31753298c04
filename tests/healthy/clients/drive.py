"""What the clients in Python have in common: a number on a line of stdin is a burst of so many workers at once."""

import sys
import threading


def bursts(work, rounds=3):
    for line in sys.stdin:
        workers = [threading.Thread(target=lambda: [work() for _ in range(rounds)]) for _ in range(int(line))]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        print("done", flush=True)
