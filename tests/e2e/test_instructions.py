#!/usr/bin/env python3
"""The hot path's instruction count: see tests/bench/test_instructions.py."""

import os
import sys

TEST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bench", "test_instructions.py")

os.execv(sys.executable, [sys.executable, TEST])
