# SPDX-License-Identifier: Apache-2.0
"""Narrow MobileNetV1, ResNet18 and U-Net through C++ and RTL, frame by frame equal to the oracle.

The networks are untrained and their frames are random codes: what is shown is that every node of
them works in hardware, and what simulation takes. ``simulate`` refuses a frame that differs.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from shared import REPORTS, ROOT, machine, markdown
from torch import nn

from a2q_hls import Recipe, export, quantize, store
from a2q_hls.flow.point import open_point
from a2q_hls.flow.stages import Simulation, Simulator, simulation
from a2q_hls.zoo.convolutional import MobileNetV1, ResNet18, UNet

FRAMES, CYCLES = 8, 36_864
RUNS = ROOT / "runs" / "bench" / "zoo"
# Factory, shape of an image, recipe.
NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...], str]] = {
    "MobileNetV1 at 1/4": (lambda: MobileNetV1(width=0.25), (3, 32, 32), "mobilenet_a2qplus"),
    "ResNet18 at 1/8": (lambda: ResNet18(width=0.125), (3, 32, 32), "a2qplus"),
    "U-Net at 1/8": (lambda: UNet(width=0.125), (1, 24, 36), "superresolution_a2qplus"),
}
HEAD = (
    "network", "weights", "nodes", "interval, planned", "simulated", "frames",
    "csim, frames/s", "build (s)", "RTL, frames/s", "build (s)",
)  # fmt: skip


def main() -> None:
    """Print and write the table."""
    rows, tools = [], [machine()]
    for name in NETWORKS:
        run = made(name)
        found = [simulated(run, simulator) for simulator in (Simulator.CSIM, Simulator.RTL)]
        tools += [one.tool for one in found]
        rows.append(row(name, run, *found))
        print(*rows[-1], sep="  ", flush=True)
    notes = (
        "Every frame, by both, is equal to the oracle's.",
        "Builds of RTL for few cycles, such as these, are not optimized.",
    )
    title = "Narrow networks through C++ and RTL"
    markdown(REPORTS / "zoo.md", title, "; ".join(dict.fromkeys(tools)), HEAD, rows, notes)


def made(name: str) -> Path:
    """Run folder of an untrained network with its generated design point."""
    factory, shape, recipe = NETWORKS[name]
    torch.manual_seed(0)
    example = torch.rand(16, *shape)
    settings = Recipe.load(ROOT / "configs" / "recipes" / f"{recipe}.yaml")
    network = export(quantize(factory(), settings, example), example[:2])
    source, run = network.inputs[0], RUNS / name.split()[0]
    span = (source.type.min, source.type.max + 1)
    run.mkdir(parents=True, exist_ok=True)
    np.savez(
        run / "frames.npz", x=np.random.default_rng(0).integers(*span, (FRAMES, *source.shape))
    )
    store.save(network, run / "network.a2q")
    verb("generate", str(run), "--cycles", str(CYCLES), "--name", "cycles")
    return run


def simulated(run: Path, simulator: Simulator) -> Simulation:
    """All frames through one simulator."""
    data = ("--data", str(run / "frames.npz"))
    verb("simulate", str(run / "points" / "cycles"), "--with", simulator.value, *data)
    found = simulation(open_point(run / "points" / "cycles"), simulator)
    assert found is not None
    assert found.frames == FRAMES
    return found


def verb(*words: str) -> None:
    """Run one verb of the command line."""
    command = [sys.executable, "-W", "ignore", "-m", "a2q_hls", *words]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def row(name: str, run: Path, csim: Simulation, rtl: Simulation) -> tuple[str, ...]:
    """A row of the table."""
    network = open_point(run / "points" / "cycles").plan.certified.network
    assert rtl.predicted is not None
    figures = [
        part
        for found in (csim, rtl)
        for part in (f"{found.samples_per_second:.1f}", f"{found.build_seconds:.0f}")
    ]
    weights = sum(dot.weights.values.size for dot in network.dots)
    counts = (weights, len(network.nodes), rtl.predicted.interval, rtl.interval, rtl.frames)
    return name, *(f"{count:,}" for count in counts), *figures


if __name__ == "__main__":
    main()
