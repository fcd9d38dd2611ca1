# SPDX-License-Identifier: Apache-2.0
"""Reports of tools, AMD's of versions 2019.2 to 2025 among them, read as metrics."""

from a2q_hls.synthesize.vendor.folder import read_folder
from a2q_hls.synthesize.vendor.reading import Reading

__all__ = ["Reading", "read_folder"]
