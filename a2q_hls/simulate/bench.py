# SPDX-License-Identifier: Apache-2.0
"""cocotb bench of any generated top: our RTL, or the Verilog that Vitis writes from our C++.

The environment variable A2Q_BENCH names a file of ``bench_settings``. Inputs change at the falling
edge and handshakes are sampled before the rising edge, so the bench is the same for every
simulator.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, ReadOnly

from a2q_hls.ints import Int64
from a2q_hls.simulate.bench_settings import VARIABLE, Settings, pack, unpack

STUCK_CYCLES = 20_000
RESETS = 24
PERIOD_NS = 10


@dataclass
class Monitor:
    """What the ports did: cycles count from the end of the last reset."""

    cycle: int = 0
    accepted: list[int] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)
    beats: list[int] = field(default_factory=list)
    ready_pulses: list[int] = field(default_factory=list)
    done_pulses: list[int] = field(default_factory=list)
    busy: list[bool] = field(default_factory=list)


class Bench:
    """Drives the ports of a top and checks the stream protocol in every cycle."""

    def __init__(self, dut: Any) -> None:
        """Bench on a cocotb handle, with the settings of the environment."""
        self.settings = Settings.load(Path(os.environ[VARIABLE]))
        source, sink = self.settings.interface.source, self.settings.interface.sink
        self.dut = dut
        self.s_data, self.s_valid, self.s_ready = _port(dut, f"s_axis_{source.name}")
        self.m_data, self.m_valid, self.m_ready = _port(dut, f"m_axis_{sink.name}")
        self.monitor = Monitor()
        self.held: int | None = None

    async def start(self) -> None:
        """Start the clock and reset."""
        Clock(self.dut.ap_clk, PERIOD_NS, unit="ns").start()
        await self.reset()

    async def reset(self, cycles: int = 4) -> None:
        """Hold the reset for some cycles; nothing is offered meanwhile."""
        await FallingEdge(self.dut.ap_clk)
        for signal in (self.dut.ap_start, self.s_valid, self.m_ready, self.dut.ap_rst_n):
            signal.value = 0
        for _ in range(cycles):
            await FallingEdge(self.dut.ap_clk)
        self.dut.ap_rst_n.value = 1
        self.monitor, self.held = Monitor(), None

    async def cycle(self, beat: int | None, ready: bool, start: bool = True) -> tuple[bool, bool]:
        """One cycle: offer ``beat`` or nothing; whether it was accepted and an output was taken."""
        await FallingEdge(self.dut.ap_clk)
        if beat is not None:
            self.s_data.value = beat
        self.s_valid.value = beat is not None
        self.m_ready.value = ready
        self.dut.ap_start.value = start
        await ReadOnly()
        accepted = beat is not None and bool(self.s_ready.value)
        taken = ready and bool(self.m_valid.value)
        self._observe(accepted, taken, ready)
        return accepted, taken

    def _observe(self, accepted: bool, taken: bool, ready: bool) -> None:
        monitor = self.monitor
        data = int(self.m_data.value) if self.m_valid.value else None
        if self.held is not None:
            assert data == self.held, f"cycle {monitor.cycle}: a stalled beat became {data}"
        self.held = None if ready else data
        if accepted:
            monitor.accepted.append(monitor.cycle)
        if taken and data is not None:
            monitor.taken.append(monitor.cycle)
            monitor.beats.append(data)
        if self.settings.control:
            self._observe_control()
        monitor.cycle += 1

    def _observe_control(self) -> None:
        monitor = self.monitor
        if self.dut.ap_ready.value:
            monitor.ready_pulses.append(monitor.cycle)
        if self.dut.ap_done.value:
            monitor.done_pulses.append(monitor.cycle)
        monitor.busy.append(not self.dut.ap_idle.value)

    async def frames(
        self,
        x: Int64,
        gaps: float = 0,
        stalls: float = 0,
        seed: int = 1,
        *,
        patient: bool = False,
        quiet_end: bool = True,
    ) -> Int64:
        """Outputs of frames ``x``; pauses of source and sink have the given probabilities.

        A ``patient`` sink is ready only after it has seen valid; with ``quiet_end`` no beat may
        follow the last frame.
        """
        beats = pack(x, self.settings.interface.source)
        wanted = len(x) * self.settings.interface.sink.beats
        random, sent, offered, quiet = Random(seed), 0, False, 0
        while len(self.monitor.beats) < wanted:
            # An offered beat stays offered until it is accepted.
            offered = sent < len(beats) and (offered or random.random() >= gaps)
            beat = beats[sent] if offered else None
            ready = self.held is not None if patient else random.random() >= stalls
            accepted, taken = await self.cycle(beat, ready)
            sent, offered = sent + accepted, offered and not accepted
            quiet = 0 if accepted or taken else quiet + 1
            state = f"accepted {sent}/{len(beats)}, got {len(self.monitor.beats)}/{wanted} beats"
            assert quiet < STUCK_CYCLES, f"stuck: no beat for {quiet} cycles, {state}"
        if quiet_end:
            await self.expect_silence()
        if self.settings.control:
            self._expect_pulses()
        return unpack(self.monitor.beats, self.settings.interface.sink)

    async def expect_silence(self) -> None:
        """No output beat may be left over: none comes while a whole frame could pass."""
        monitor = self.monitor
        first = monitor.taken[self.settings.interface.sink.beats - 1] - monitor.accepted[0]
        for _ in range(32 + first):
            _, taken = await self.cycle(None, True)
            assert not taken, "an output beat after the last frame"

    def _expect_pulses(self) -> None:
        monitor, beats = self.monitor, self.settings.interface.source.beats
        assert monitor.done_pulses == self.frame_ends(), "ap_done is not with the last output beats"
        ends = monitor.accepted[beats - 1 :: beats]
        assert monitor.ready_pulses == ends, "ap_ready is not with the last input beats"

    def frame_ends(self) -> list[int]:
        """Cycles in which the last output beats of frames were taken."""
        beats = self.settings.interface.sink.beats
        return self.monitor.taken[beats - 1 :: beats]


def _port(dut: Any, name: str) -> tuple[Any, Any, Any]:
    return tuple(getattr(dut, f"{name}_{part}") for part in ("TDATA", "TVALID", "TREADY"))


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
        assert bench.monitor.cycle < STUCK_CYCLES + limit * len(beats), "stuck after being full"
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
    if not bench.settings.control:
        return
    await bench.start()
    x, expected = bench.settings.few()
    beats = [
        *pack(x[:1], bench.settings.interface.source),
        pack(x, bench.settings.interface.source)[0],
    ]
    for _ in range(8):
        accepted, taken = await bench.cycle(beats[0], True, start=False)
        assert not accepted, "a beat was accepted while ap_start was low"
        assert not taken, "an output beat without an input"
    assert not any(bench.monitor.busy), "not idle before the first frame"
    begin, done = bench.monitor.cycle, 0
    while not done:
        sent = len(bench.monitor.accepted)
        await bench.cycle(beats[sent], bench.monitor.cycle % 3 == 0, start=sent == 0)
        done = len(bench.monitor.done_pulses)
        assert bench.monitor.cycle - begin < STUCK_CYCLES, "stuck: ap_done did not come"
    await bench.cycle(None, True, start=False)
    monitor = bench.monitor
    expect_equal(unpack(monitor.beats, bench.settings.interface.sink), expected[:1])
    assert len(monitor.accepted) == len(beats) - 1, "a frame began while ap_start was low"
    assert monitor.ready_pulses == monitor.accepted[-1:], "ap_ready is not with the last input beat"
    assert monitor.done_pulses == monitor.taken[-1:], "ap_done is not with the last output beat"
    assert all(monitor.busy[begin:-1]), "idle while a frame was inside"
    assert not monitor.busy[-1], "not idle after the frame"
