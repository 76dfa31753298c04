#!/usr/bin/env python3
"""Forks of a program whose own threads stay out of the dynamic loader, while ours are inside it."""

import harness


def test_children_find_the_loader_free(t):
    """glibc leaves the lock of dl_iterate_phdr as it was at the fork: a child would wait for a thread it lacks."""
    app = t.start("prog_loader", 2000 // (4 if harness.SANITIZE else 1))
    t.equal(app.number("hung"), 0, "children that never had an answer")


if __name__ == "__main__":
    harness.main(__name__)
