# SPDX-License-Identifier: Apache-2.0
"""Stages on run folders: what the command line does, as functions."""
