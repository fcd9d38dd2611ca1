# SPDX-License-Identifier: Apache-2.0
"""Simulation of generated projects; every result is to be compared with ``interpret`` alone."""
