# SPDX-License-Identifier: Apache-2.0
"""What planners met, as labels, options and titles."""

from __future__ import annotations

import pytest

from a2q_hls.aim import Aim
from a2q_hls.report.model import engine_title


@pytest.mark.parametrize(
    ("aim", "label", "options", "title"),
    [
        (
            Aim("cycles", 28224),
            "cycles28224",
            "--cycles 28224",
            "cheapest engines within 28,224 cycles a frame",
        ),
        (
            Aim("cycles", 64, "sparse"),
            "cycles64_sparse",
            "--cycles 64 --engine sparse",
            "cheapest engines within 64 cycles a frame, sparse or folded",
        ),
        (
            Aim("luts", 2000, "folded"),
            "luts2000_folded",
            "--luts 2000 --engine folded",
            "fastest engines within 2,000 LUTs, folded alone",
        ),
    ],
)
def test_an_aim_is_one_label_one_command_and_words(
    aim: Aim, label: str, options: str, title: str
) -> None:
    assert (aim.label, aim.options, aim.title) == (label, options, title)
    assert Aim.parse(label) == aim
    assert engine_title(label) == title


@pytest.mark.parametrize("label", ["folded4x8", "cycles0", "cycles64_best", "cycles", "64cycles"])
def test_other_names_are_no_aims(label: str) -> None:
    assert Aim.parse(label) is None
    assert engine_title(label) == label
