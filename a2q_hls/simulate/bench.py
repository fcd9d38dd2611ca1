# SPDX-License-Identifier: Apache-2.0
"""cocotb bench of any generated top: our RTL, or the Verilog that Vitis writes from our C++.

The environment variable A2Q_BENCH names a file of ``bench_settings``.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from random import Random
from typing import Any

import cocotb
import numpy as np

from a2q_hls.ints import Int64
from a2q_hls.simulate.bench_driver import Bench
from a2q_hls.simulate.bench_settings import RESETS, pack, unpack


def expect_equal(found: Int64, expected: Int64) -> None:
    """Fail with the first frame that differs."""
    assert found.shape == expected.shape, f"{found.shape} outputs instead of {expected.shape}"
    wrong = np.flatnonzero((found != expected).any(axis=1))
    if wrong.size:
        first = int(wrong[0])
        text = f"{found[first].tolist()} instead of {expected[first].tolist()}"
        raise AssertionError(f"{wrong.size} wrong frames, the first is {first}: {text}")


async def _paced(dut: Any, gaps: float, stalls: float) -> None:
    bench = Bench(dut)
    await bench.start()
    x, expected = bench.settings.few()
    expect_equal(await bench.frames(x, gaps, stalls), expected)


@cocotb.test()
async def frames_back_to_back(dut: Any) -> None:
    """All frames without pauses; cycles as predicted, when a prediction is given."""
    bench = Bench(dut)
    await bench.start()
    begin = time.perf_counter()
    found = await bench.frames(bench.settings.x)
    seconds = time.perf_counter() - begin
    bench.settings.write_result(found, bench.monitor.accepted[0], bench.frame_ends(), seconds)
    expect_equal(found, bench.settings.expected)
    bench.settings.expect_timing(bench.monitor.accepted[0], bench.frame_ends())


@cocotb.test()
async def gaps_on_the_input(dut: Any) -> None:
    """The source pauses at random."""
    await _paced(dut, 0.5, 0.0)


@cocotb.test()
async def back_pressure_on_the_output(dut: Any) -> None:
    """The sink pauses at random."""
    await _paced(dut, 0.0, 0.5)


@cocotb.test()
async def pauses_on_both_sides(dut: Any) -> None:
    """Both pause at random."""
    await _paced(dut, 0.4, 0.4)


@cocotb.test()
async def valid_does_not_wait_for_ready(dut: Any) -> None:
    """The sink is ready only after it has seen valid."""
    bench = Bench(dut)
    await bench.start()
    x, expected = bench.settings.few()
    expect_equal(await bench.frames(x, patient=True), expected)


@cocotb.test()
async def long_back_pressure_fills_the_pipeline(dut: Any) -> None:
    """The sink takes nothing until the design accepts nothing more; then all frames are right."""
    bench = Bench(dut)
    await bench.start()
    x, expected = bench.settings.x, bench.settings.expected
    beats = pack(x, bench.settings.interface.source)
    sent, quiet = 0, 0
    limit = 32 + await _frame_cycles(bench)
    while quiet < limit:
        accepted, _ = await bench.cycle(beats[sent] if sent < len(beats) else None, False)
        sent, quiet = sent + accepted, 0 if accepted else quiet + 1
    assert bench.held is not None, "full, and no valid output beat"
    wanted = len(x) * bench.settings.interface.sink.beats
    while len(bench.monitor.beats) < wanted:
        accepted, _ = await bench.cycle(beats[sent] if sent < len(beats) else None, True)
        sent += accepted
        most = bench.settings.stuck_cycles + limit * len(beats)
        assert bench.monitor.cycle < most, "stuck after being full"
    expect_equal(unpack(bench.monitor.beats, bench.settings.interface.sink), expected)


@cocotb.test()
async def reset_within_a_frame(dut: Any) -> None:
    """Frames that a reset cuts, wherever it cuts them, leave nothing behind."""
    bench = Bench(dut)
    await bench.start()
    x, expected = bench.settings.few()
    beats, random = pack(x, bench.settings.interface.source), Random(2)
    frame = await _frame_cycles(bench)
    for reset in range(RESETS):
        # Evenly over two frames, with the output stalled, flowing, and in between.
        cycles = 1 + 2 * frame * reset // RESETS
        stalls, sent = (1.0, 0.0, 0.5)[reset % 3], 0
        for _ in range(cycles):
            accepted, _ = await bench.cycle(beats[sent % len(beats)], random.random() >= stalls)
            sent += accepted
        # A single cycle, too: in a longer one a stage may drain into the next.
        await bench.reset(1 + reset % 2)
        expect_equal(await bench.frames(x[:2]), expected[:2])
        await bench.reset()


async def _frame_cycles(bench: Bench) -> int:
    """Cycles of one frame alone, from its first beat in to its last beat out; then a reset."""
    await bench.frames(bench.settings.x[:1], quiet_end=False)
    cycles = bench.monitor.taken[-1] - bench.monitor.accepted[0] + 1
    await bench.reset()
    return cycles


@cocotb.test()
async def start_lets_one_frame_in(dut: Any) -> None:
    """ap_ctrl_hs: nothing without ap_start; ap_ready, ap_done and ap_idle of a single frame."""
    bench = Bench(dut)
    await bench.start()
    source = bench.settings.interface.source
    x, expected = bench.settings.few()
    # A beat of another frame waits behind the first one.
    beats = [*pack(x[:1], source), pack(x, source)[0]]
    await _nothing_without_start(bench, beats)
    await _started_once(bench, beats)
    monitor = bench.monitor
    expect_equal(unpack(monitor.beats, bench.settings.interface.sink), expected[:1])
    assert len(monitor.done_pulses) == 1, f"{len(monitor.done_pulses)} cycles of ap_done"
    assert not monitor.busy[-1], "not idle after the frame"
    if not bench.settings.foreign:
        message = "a frame began while ap_start was low"
        assert len(monitor.accepted) == len(beats) - 1, message
        ready, done = monitor.accepted[-1:], monitor.taken[-1:]
        assert monitor.ready_pulses == ready, "ap_ready is not with the last input beat"
        assert monitor.done_pulses == done, "ap_done is not with the last output beat"


async def _nothing_without_start(bench: Bench, beats: Sequence[int]) -> None:
    for _ in range(8):
        sent = len(bench.monitor.accepted)
        beat = beats[sent] if sent < len(beats) else None
        accepted, taken = await bench.cycle(beat, True, start=False)
        message = "a beat was accepted while ap_start was low"
        assert bench.settings.foreign or not accepted, message
        assert not taken, "an output beat while ap_start was low"
    assert not any(bench.monitor.busy), "not idle before the first frame"


async def _started_once(bench: Bench, beats: Sequence[int]) -> None:
    """One frame by one start, and as many cycles more in which nothing may follow.

    Our own RTL looks at ap_start with the first beat alone; the protocol holds it until ap_ready.
    """
    monitor, begin, rest = bench.monitor, bench.monitor.cycle, 1
    while rest:
        sent = len(monitor.accepted)
        start = not (monitor.ready_pulses if bench.settings.foreign else sent)
        beat = beats[sent] if sent < len(beats) else None
        await bench.cycle(beat, monitor.cycle % 3 == 0, start=start)
        spent = monitor.cycle - begin
        if not monitor.done_pulses:
            assert spent < bench.settings.stuck_cycles, "stuck: ap_done did not come"
            rest = 32 + spent
        rest -= 1
    assert all(monitor.busy[begin : monitor.done_pulses[0] + 1]), "idle while a frame was inside"
