# SPDX-License-Identifier: Apache-2.0
"""What tools do once on a machine, minutes of compiling, done beside other work."""

from __future__ import annotations

from contextlib import suppress
from threading import Thread

from a2q_hls.errors import A2QError
from a2q_hls.simulate import csim, rtl, verilate
from a2q_hls.synthesize.tools import find_yosys


def warm() -> Thread:
    """Start yosys for the first time, compile Verilator's runtime, the harness and C++ headers.

    Where all of it is there, this takes a second. An error is left to whoever uses the tool. The
    thread ends with the process.
    """
    thread = Thread(target=_warm, daemon=True)
    thread.start()
    return thread


def _warm() -> None:
    for step in (find_yosys, verilate.warm, rtl.harness, csim.command):
        with suppress(A2QError):
            step()
