# SPDX-License-Identifier: Apache-2.0
"""Neural networks whose accumulators provably cannot overflow, and their hardware."""

__version__ = "0.1.0"
