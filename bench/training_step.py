# SPDX-License-Identifier: Apache-2.0
"""Time and memory of a training step: float, A2Q and A2Q+ of ours, and of Brevitas, in one run.

The same layers, data and batch, SGD, threads. Steps of all kinds take turns, so that a slow moment
of the machine hits all alike; each kind has the median. Peak memory is that of a process of its own
for each kind, above what it had before its first step.
"""

from __future__ import annotations

import itertools
import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from statistics import median

import brevitas.nn as qnn
import torch
from brevitas.quant import (
    Int8AccumulatorAwareWeightQuant,
    Int8AccumulatorAwareZeroCenterWeightQuant,
    Uint8ActPerTensorFloat,
)
from shared import REPORTS, markdown
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from a2q_hls import Recipe, parameter_groups, penalty, quantize
from a2q_hls.zoo.convolutional import SmallCNN
from a2q_hls.zoo.mlp import dense

P, BITS, REPEATS = 14, 4, 30
PEERS = {"A2Q": Int8AccumulatorAwareWeightQuant, "A2Q+": Int8AccumulatorAwareZeroCenterWeightQuant}
SHAPES = {"MLP 64-32-10": (64,), "MLP 784-256-128-10": (784,), "SmallCNN": (1, 28, 28)}
BATCH = 128


def float_model(network: str) -> nn.Module:
    """The float network."""
    if network == "SmallCNN":
        return SmallCNN()
    return dense([int(size) for size in network.split()[1].split("-")])


def ours(network: str, method: str, rounding: str) -> nn.Module:
    """Ours, by the papers' rounding or by projection."""
    text = f"{{method: {method.lower()}, accumulator: {P}, rounding: {rounding}}}"
    return quantize(float_model(network), Recipe.parse(text), inputs(network))


def peer(network: str, method: str) -> nn.Module:
    """Brevitas: the same layers with its quantizers, 8 bits at the input."""
    options = {
        "weight_quant": PEERS[method],
        "weight_bit_width": BITS,
        "weight_accumulator_bit_width": P,
    }

    def activation(bits: int) -> nn.Module:
        return qnn.QuantReLU(
            act_quant=Uint8ActPerTensorFloat, bit_width=bits, return_quant_tensor=True
        )

    start = qnn.QuantIdentity(
        act_quant=Uint8ActPerTensorFloat, bit_width=8, return_quant_tensor=True
    )
    if network != "SmallCNN":
        layers: list[nn.Module] = [start]
        sizes = [int(size) for size in network.split()[1].split("-")]
        for source, target in itertools.pairwise(sizes):
            layers += [qnn.QuantLinear(source, target, True, **options), activation(BITS)]
        return nn.Sequential(*layers[:-1])
    parts: list[nn.Module] = [start]
    for source, target, pool in ((1, 16, True), (16, 32, True), (32, 32, False)):
        conv = qnn.QuantConv2d(source, target, 3, padding=1, bias=False, **options)
        parts += [conv, nn.BatchNorm2d(target), activation(BITS)]
        parts += [nn.MaxPool2d(2)] if pool else []
    head = qnn.QuantLinear(32, 10, True, **options)
    mean = Mean()
    return nn.Sequential(*parts, mean, activation(BITS), head)


class Mean(nn.Module):
    """Average over all positions of a quantized tensor."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C)."""
        return (x.value if hasattr(x, "value") else x).mean(dim=(2, 3))


KINDS: dict[str, Callable[[str], nn.Module]] = {
    "float": float_model,
    "A2Q, ours": lambda network: ours(network, "A2Q", "toward zero"),
    "A2Q, Brevitas": lambda network: peer(network, "A2Q"),
    "A2Q+, ours": lambda network: ours(network, "A2Q+", "toward zero"),
    "A2Q+, Brevitas": lambda network: peer(network, "A2Q+"),
    "A2Q+ projected, ours": lambda network: ours(network, "A2Q+", "projection"),
}


def inputs(network: str) -> Tensor:
    """A batch of random images in 0..1."""
    return torch.rand(BATCH, *SHAPES[network], generator=torch.Generator().manual_seed(0))


def stepper(kind: str, network: str) -> Callable[[], None]:
    """One training step of a kind of network."""
    torch.manual_seed(0)
    model = KINDS[kind](network).train()
    groups = parameter_groups(model) if "ours" in kind else model.parameters()
    optimizer = torch.optim.SGD(groups, 1e-3)
    x, y = inputs(network), torch.arange(BATCH) % 10

    def step() -> None:
        loss = cross_entropy(model(x), y)
        if "ours" in kind:
            loss = loss + penalty(model)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def times(network: str) -> dict[str, float]:
    """Median seconds of a step of every kind, taken in turns."""
    steps = {kind: stepper(kind, network) for kind in KINDS}
    found: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for turn in range(REPEATS + 3):
        for kind, step in steps.items():
            start = time.perf_counter()
            step()
            if turn >= 3:
                found[kind].append(time.perf_counter() - start)
    return {kind: median(values) for kind, values in found.items()}


def memory(kind: str, network: str) -> float:
    """MiB that ten steps add to a process of their own at its peak."""
    code = f"import training_step; training_step.measure({kind!r}, {network!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout.splitlines()[-1]))


def measure(kind: str, network: str) -> None:
    """Print what ten steps add to this process' memory at its peak, in MiB (Linux)."""
    step = stepper(kind, network)
    Path("/proc/self/clear_refs").write_text("5")  # The peak so far was that of the imports.
    before = _status("VmRSS")
    for _ in range(10):
        step()
    print(json.dumps((_status("VmHWM") - before) / 1024))


def _status(key: str) -> int:
    """A figure of this process in KiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key))


def main() -> None:
    """Measure all networks and write the table."""
    rows = []
    for network in SHAPES:
        seconds = times(network)
        for kind, value in seconds.items():
            rows.append(
                (
                    f"{network}, {kind}",
                    f"{1e3 * value:.2f}",
                    f"{value / seconds['float']:.2f}",
                    _against(kind, seconds),
                    f"{memory(kind, network):.1f}",
                )
            )
            print(" | ".join(rows[-1]), flush=True)
    names = [f"{name} {version(name)}" for name in ("torch", "brevitas")]
    tools = f"{', '.join(names)}, Python {platform.python_version()}, one thread"
    title = f"A training step with batch {BATCH}, W{BITS}A{BITS}, P = {P}"
    head = ("step", "ms (median)", "to float", "ours to Brevitas", "peak memory added, MiB")
    markdown(REPORTS / "quantizers.md", title, tools, head, rows)


def _against(kind: str, seconds: dict[str, float]) -> str:
    if "ours" not in kind:
        return ""
    method = kind.split(",")[0].removesuffix(" projected")
    return f"{seconds[kind] / seconds[f'{method}, Brevitas']:.2f}"


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
