#!/usr/bin/env python3
"""Forks of a program whose own threads stay out of the dynamic loader, while they or ours are in it because of us."""

import time

import harness


def test_children_find_the_loader_free(t):
    """glibc leaves the lock of dl_iterate_phdr as it was at the fork: a child would wait for a thread it lacks."""
    app = t.start("prog_loader", 1000 // (4 if harness.SANITIZE else 1))
    t.equal(app.number("hung"), 0, "children that never had an answer")


def test_children_find_the_unwinder_free(t):
    """libunwind leaves the locks of its caches as they were at the fork, held by another thread's accept or socket."""
    app = t.start("prog_loader", 240 // (4 if harness.SANITIZE else 1), "opens")
    t.equal(app.number("hung"), 0, "children that never got through a socket of their own")


def test_a_short_child_ends_at_once(t):
    """What the end asks of a thread that has only just been started is not slept over."""
    begun = time.monotonic()
    app = t.start("prog_loader", 20, "quiet")
    t.equal(app.number("hung"), 0, "children that did not end")
    took = time.monotonic() - begun
    t.check(took < 5, f"20 children that open a socket and end took {took:.1f} s; a second each is a sleep")


if __name__ == "__main__":
    harness.main(__name__)
