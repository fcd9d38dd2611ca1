# SPDX-License-Identifier: Apache-2.0
"""Tests run in parallel: torch takes one thread in each of them, and in what they start."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
