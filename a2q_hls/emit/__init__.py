# SPDX-License-Identifier: Apache-2.0
"""Plan to Project: the only place that knows a target's syntax."""
