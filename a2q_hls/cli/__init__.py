# SPDX-License-Identifier: Apache-2.0
"""The command line: one verb a stage, and demo, sweep and doctor."""

from a2q_hls.cli.app import main

__all__ = ["main"]
