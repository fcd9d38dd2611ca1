# SPDX-License-Identifier: Apache-2.0
"""A whole test set through the simulators of one design point, every frame equal to the oracle.

    python bench/test_set.py runs/hardware_fashion_mnist/RUN/points/NAME fashion_mnist:FOLDER

``simulate`` refuses a frame that differs. cocotb, which is slow, runs some images and the witnesses
by every test of its bench. The network goes through hls4ml's own layers, too, with certified
accum_t. What was done of the same code is not done again.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
from shared import REPORTS, machine, markdown

from a2q_hls.files import write_text
from a2q_hls.flow.data import RANDOM_FRAMES, Frames, frames
from a2q_hls.flow.point import Point, load_network, open_point
from a2q_hls.flow.record import TESTS
from a2q_hls.flow.stages import (
    Simulator,
    Target,
    generate,
    project_digest,
    simulate,
    simulation,
)
from a2q_hls.interpret import run_flat
from a2q_hls.simulate import cocotb_run
from a2q_hls.timing import predict
from a2q_hls.zoo.datasets import load_data

IMAGES = 16
Row = tuple[str, ...]
HEAD = ("simulator", "frames", "accuracy", "interval", "frames/s", "build (s)")


def main(folder: str, images: str) -> None:
    """Print and write the table."""
    point, name = open_point(Path(folder)), images.partition(":")[0]
    whole = whole_set(point, images)
    for target in Target:
        generate(point, target)  # What is there and the same keeps what was simulated.
    rows, tools = [], [machine()]
    for simulator in (Simulator.CSIM, Simulator.RTL):
        found = simulation(point, simulator)
        if found is None or (found.frames, found.data) != (len(whole.x), whole.source):
            found = simulate(point, simulator, whole)
        accuracy = "" if found.accuracy is None else f"{found.accuracy:.2%}"
        interval = f"{found.interval:,}" if found.interval else ""
        rates = (f"{found.samples_per_second:,.1f}", f"{found.build_seconds:.0f}")
        rows.append((simulator.value, f"{found.frames:,}", accuracy, interval, *rates))
        tools.append(found.tool)
        print(*rows[-1], sep="  ", flush=True)
    rows.append(by_cocotb(point))
    print(*rows[-1], sep="  ", flush=True)
    tools.append(f"cocotb {version('cocotb')}")
    rows.append(by_hls4ml(point, whole))
    print(*rows[-1], sep="  ", flush=True)
    tools.append(f"hls4ml {version('hls4ml')}")
    notes = (
        f"cocotb: {IMAGES} images and the witnesses; frames/s are those of them back to back. All "
        "of them pass with pauses at random on the input, on the output and on both, too, "
        "and with long back-pressure; reset within a frame is its own test.",
        "hls4ml: its own layers of the Vitis backend, io_stream, every accum_t as certified; "
        "accuracy and equality are of its predict.",
    )
    title = f"{len(whole.x):,} test images of {name}, design point {point.root.name}"
    path = REPORTS / f"test_set_{name}.md"
    markdown(path, title, "; ".join(tools), HEAD, rows, notes, "data-reports")


def by_cocotb(point: Point) -> Row:
    """A row of the cocotb bench: every output is the oracle's, in every test of it."""
    certified = point.plan.certified
    given = frames(certified, tests=point.run / TESTS)
    images, witnesses = given.x[:IMAGES], given.x[len(given.labelled) : -RANDOM_FRAMES]

    def row() -> Row:
        x = np.concatenate([images, witnesses])
        expected, build = run_flat(certified.network, x), point.root / "build" / "cocotb"
        rtl, timing = point.root / Target.RTL.value, predict(point.plan)
        result = cocotb_run.run(rtl, x, expected, build, timing, few_frames=len(x)).result
        count = f"{len(images)} + {len(witnesses)}"
        rates = (f"{result.samples_per_second:,.1f}", f"{result.build_seconds:.0f}")
        return ("cocotb", count, "", f"{result.interval:,}", *rates)

    return once(point.root / "cocotb.json", project_digest(point, Target.RTL), row)


def by_hls4ml(point: Point, whole: Frames) -> Row:
    """A row of hls4ml's own layers, whose every output is the oracle's."""
    import hls4ml  # noqa: F401 - loads its backends, ours among them, before our modules use it

    from a2q_hls.hls4ml import to_hls4ml

    run, begin = point.run, time.perf_counter()
    graph = to_hls4ml(point.plan.certified, run / "hls4ml", layers="hls4ml", io_type="io_stream")
    graph.write()
    source = (run / "hls4ml" / "firmware" / f"{point.plan.name}.cpp").read_bytes()

    def row() -> Row:
        graph.compile()
        built = time.perf_counter()
        shape = (-1, *point.plan.certified.network.inputs[0].shape)
        outputs = graph.predict(whole.x.reshape(shape).astype(np.float32))
        seconds = time.perf_counter() - built
        assert np.array_equal(np.asarray(outputs).reshape(whole.expected.shape), whole.expected)
        rates = (f"{len(whole.x) / seconds:,.1f}", f"{built - begin:.0f}")
        return ("hls4ml", f"{len(whole.x):,}", f"{whole.accuracy:.2%}", "", *rates)

    return once(run / "hls4ml.json", hashlib.sha256(source).hexdigest(), row)


def once(record: Path, digest: str, row: Callable[[], Row]) -> Row:
    """The row on record if it is of the same code, else a new one."""
    if record.exists() and (found := json.loads(record.read_text()))["digest"] == digest:
        return tuple(found["row"])
    made = row()
    write_text(record, json.dumps({"digest": digest, "row": made}) + "\n")
    return made


def whole_set(point: Point, name: str) -> Frames:
    """All test images as codes, by the scale that the run's own few were made with."""
    run = point.root.parent.parent
    images = load_data(name)
    images = images.fewer(len(images.x_test))  # In the order of the run's few.
    with np.load(run / TESTS, allow_pickle=False) as saved:
        (scale, zero), few = saved["scales"][0], saved["x"]
    type_ = load_network(run).network.inputs[0].type
    values = np.moveaxis(images.x_test.double().numpy(), 1, -1)
    x = np.clip(np.rint(values / scale) + zero, type_.min, type_.max).astype(np.int64)
    assert np.array_equal(x[: len(few)], few), "other codes than training saw"
    file = run / "whole.npz"
    np.savez_compressed(file, x=x, y=images.y_test.numpy())
    return frames(load_network(run), file)


if __name__ == "__main__":
    main(*sys.argv[1:])
