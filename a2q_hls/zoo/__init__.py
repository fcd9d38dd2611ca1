# SPDX-License-Identifier: Apache-2.0
"""Reference data sets and the float networks that training starts from."""
