# SPDX-License-Identifier: Apache-2.0
"""Driver of the cocotb bench: the ports of a generated top, observed in every cycle.

Inputs change at the falling edge and handshakes are sampled before the rising edge, so the bench is
the same for every simulator.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, ReadOnly

from a2q_hls.ints import Int64
from a2q_hls.simulate.bench_settings import VARIABLE, Settings, pack, unpack

PERIOD_NS = 10
# AMD's own recommendation for AXI; generated RTL must do with one.
FOREIGN_RESET_CYCLES = 16


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
        self.s_data, self.s_valid, self.s_ready = _port(dut, f"s_axis_{source.name}")
        self.m_data, self.m_valid, self.m_ready = _port(dut, f"m_axis_{sink.name}")
        # Each look below ``dut`` goes through the simulator.
        self.clock, self.ap_start, self.ap_rst_n = dut.ap_clk, dut.ap_start, dut.ap_rst_n
        self.ap_ready, self.ap_done, self.ap_idle = dut.ap_ready, dut.ap_done, dut.ap_idle
        self.monitor = Monitor()
        self.held: int | None = None
        self._driven: dict[Any, int] = {}

    async def start(self) -> None:
        """Start the clock and reset."""
        Clock(self.clock, PERIOD_NS, unit="ns").start()
        await self.reset()

    async def reset(self, cycles: int = 4) -> None:
        """Hold the reset for some cycles; nothing is offered meanwhile."""
        await FallingEdge(self.clock)
        for signal in (self.ap_start, self.s_valid, self.m_ready, self.ap_rst_n):
            self._drive(signal, 0)
        for _ in range(FOREIGN_RESET_CYCLES if self.settings.foreign else cycles):
            await FallingEdge(self.clock)
        self._drive(self.ap_rst_n, 1)
        self.monitor, self.held = Monitor(), None

    async def cycle(self, beat: int | None, ready: bool, start: bool = True) -> tuple[bool, bool]:
        """One cycle: offer ``beat`` or nothing; whether it was accepted and an output was taken."""
        await FallingEdge(self.clock)
        if beat is not None:
            self._drive(self.s_data, beat)
        self._drive(self.s_valid, beat is not None)
        self._drive(self.m_ready, ready)
        self._drive(self.ap_start, start)
        await ReadOnly()
        accepted = beat is not None and bool(self.s_ready.value)
        taken = ready and bool(self.m_valid.value)
        self._observe(accepted, taken, ready)
        return accepted, taken

    def _drive(self, signal: Any, value: int) -> None:
        """Write what changes."""
        if self._driven.get(signal) != value:
            self._driven[signal] = value
            signal.value = value

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
        if self.ap_ready.value:
            monitor.ready_pulses.append(monitor.cycle)
        if self.ap_done.value:
            monitor.done_pulses.append(monitor.cycle)
        monitor.busy.append(not self.ap_idle.value)
        monitor.cycle += 1

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
            stuck = f"stuck: no beat for {quiet} cycles, {state}"
            assert quiet < self.settings.stuck_cycles, stuck
        if quiet_end:
            await self.expect_silence()
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
        ends = monitor.accepted[beats - 1 :: beats]
        if self.settings.foreign:
            self._expect_foreign_pulses(ends)
            return
        assert monitor.done_pulses == self.frame_ends(), "ap_done is not with the last output beats"
        assert monitor.ready_pulses == ends, "ap_ready is not with the last input beats"

    def _expect_foreign_pulses(self, ends: list[int]) -> None:
        """What ap_ctrl_hs demands of any design while ap_start is held: see ``Settings.foreign``.

        More ap_ready than frames are right: a pipelined process starts before its next beat comes.
        """
        done, ready = self.monitor.done_pulses, self.monitor.ready_pulses
        assert len(done) == len(ends), f"{len(done)} cycles of ap_done after {len(ends)} frames"
        assert len(ready) >= len(ends), f"{len(ready)} cycles of ap_ready after {len(ends)} frames"
        early = [frame for frame, end in enumerate(ends) if done[frame] < end]
        assert not early, f"ap_done of frame {early[0]} before its last beat was accepted"
        inside = self.monitor.busy[self.monitor.accepted[0] + 1 : done[-1]]
        assert all(inside), "idle while a frame was inside"

    def frame_ends(self) -> list[int]:
        """Cycles in which the last output beats of frames were taken."""
        beats = self.settings.interface.sink.beats
        return self.monitor.taken[beats - 1 :: beats]


def _port(dut: Any, name: str) -> tuple[Any, Any, Any]:
    return tuple(getattr(dut, f"{name}_{part}") for part in ("TDATA", "TVALID", "TREADY"))
