# SPDX-License-Identifier: Apache-2.0
"""A user's own model: rewritten by torch.fx, quantized by a recipe, exported as a network."""
