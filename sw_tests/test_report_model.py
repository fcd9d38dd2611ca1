# SPDX-License-Identifier: Apache-2.0
"""Summaries of runs."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import report_builders as build

from a2q_hls.errors import A2QError
from a2q_hls.report import Histogram, Method
from a2q_hls.stages import Widths


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"accuracy": 96.8}, "a share between 0 and 1"), ({"widths": None}, "both, or neither")],
)
def test_impossible_summary_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(A2QError, match=message):
        replace(build.run(100), **changes)


def test_label_says_training_and_who_decided_the_widths() -> None:
    labels = [item.label for item in build.design_points()]
    assert labels == [
        "Float",
        "QAT, 32 bit",
        "QAT, data type",
        "QAT, exact",
        "A2Q+ P=9",
    ]
    wide = build.run(1, method=Method.A2Q, bits=12, widths=Widths.FIXED32)
    assert wide.label == "A2Q P=12, 32 bit"


def test_histogram_holds_every_value_once() -> None:
    values = np.array([[-5, -5, 0], [3, 7, 7]])
    histogram = Histogram.of("fc1", values, -5, 7, 4)
    assert sum(histogram.counts) == 6
    assert (histogram.counts[0], histogram.counts[12], len(histogram.counts)) == (2, 2, 13)


def test_histogram_of_a_wide_interval_has_few_bins_and_loses_nothing() -> None:
    values = np.arange(-1000, 1001)
    histogram = Histogram.of("fc1", values, -1000, 1000, 11)
    assert len(histogram.counts) <= 96
    assert sum(histogram.counts) == 2001
    assert histogram.edges[0] == -1000
    assert histogram.edges[-1] > 1000


@pytest.mark.parametrize("outside", [-6, 8])
def test_value_outside_the_certified_interval_raises(outside: int) -> None:
    with pytest.raises(A2QError, match=r"the certified \[-5, 7\]"):
        Histogram.of("fc1", np.array([0, outside]), -5, 7, 4)


def test_histogram_refuses_no_values_and_wrong_edges() -> None:
    with pytest.raises(A2QError, match="no values"):
        Histogram.of("fc1", np.array([], np.int64), -5, 7, 4)
    with pytest.raises(A2QError, match="2 edges of 2 bins"):
        Histogram("fc1", (0, 1), (3, 4), 0, 1, 2)
