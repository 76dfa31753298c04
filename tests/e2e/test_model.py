#!/usr/bin/env python3
"""Thirty seeds of the model test: random socket operations, closeguard's word against the kernel's."""

import os
import sys

RUN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "model", "run.py")
SEEDS = "1-10" if os.environ.get("CLOSEGUARD_TEST_SANITIZE") else "1-30"

os.execv(sys.executable, [sys.executable, RUN, SEEDS])
