# SPDX-License-Identifier: Apache-2.0
"""Quantized ONNX: QONNX and QCDQ files become certified integer networks, and the other way."""

from a2q_hls.qonnx.brevitas import from_brevitas
from a2q_hls.qonnx.convert import Imported, InputCodes, from_qonnx
from a2q_hls.qonnx.export import Style, to_qonnx

__all__ = ["Imported", "InputCodes", "Style", "from_brevitas", "from_qonnx", "to_qonnx"]
