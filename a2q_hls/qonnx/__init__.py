# SPDX-License-Identifier: Apache-2.0
"""Quantized networks of other tools: QONNX and QCDQ files become certified integer networks."""

from a2q_hls.qonnx.convert import Imported, InputCodes, from_qonnx

__all__ = ["Imported", "InputCodes", "from_qonnx"]
