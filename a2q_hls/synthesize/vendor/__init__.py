# SPDX-License-Identifier: Apache-2.0
"""Reports of tools, AMD's of versions 2019.2 to 2025 among them, as metrics; and runs of AMD's."""

from a2q_hls.synthesize.vendor.folder import read_folder
from a2q_hls.synthesize.vendor.reading import Reading
from a2q_hls.synthesize.vendor.run import Goal, run_vitis, run_vivado

__all__ = ["Goal", "Reading", "read_folder", "run_vitis", "run_vivado"]
