# SPDX-License-Identifier: Apache-2.0
"""What is compiled once on a machine is all that builds need."""

from __future__ import annotations

from pathlib import Path

import pytest
from designs import Design, network, scales

from a2q_hls.emit import hls, rtl
from a2q_hls.flow.warm import warm
from a2q_hls.plan import Unrolled
from a2q_hls.simulate import csim, prelude, verilate
from a2q_hls.simulate.rtl import build


def test_builds_find_what_was_made_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    warm().join()

    def refused(*_: object) -> None:
        raise AssertionError("compiled again")

    monkeypatch.setattr(prelude, "execute", refused)
    monkeypatch.setattr(verilate, "_build_runtime", refused)
    design = Design("small", network(scales), {"fc1": Unrolled(), "fc2": Unrolled()})
    csim.build(hls.emit(design.plan), tmp_path / "csim")
    build(rtl.emit(design.plan), tmp_path / "rtl")
