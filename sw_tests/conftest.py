# SPDX-License-Identifier: Apache-2.0
"""Tests run in parallel: torch takes one thread in each of them, and in what they start."""

import os

from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("whole", deadline=None)  # A busy machine is no fault.
settings.load_profile("whole")
