# SPDX-License-Identifier: Apache-2.0
"""hls4ml's backend ``A2Q``: our kernels behind write, compile, predict and build of a ModelGraph.

To be imported by ``register`` alone, or after hls4ml.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from hls4ml.backends.fpga.fpga_backend import FPGABackend
from hls4ml.model.attributes import Attribute
from hls4ml.model.flow import register_flow
from hls4ml.model.layers import Layer, register_layer
from hls4ml.model.types import NamedType
from hls4ml.writer.writers import Writer
from numpy.typing import NDArray

from a2q_hls.errors import A2QError
from a2q_hls.hls4ml.build import report, run
from a2q_hls.hls4ml.design import Design
from a2q_hls.hls4ml.register import NAME
from a2q_hls.simulate.csim import command
from a2q_hls.simulate.tools import execute


class A2QLayer(Layer):  # type: ignore[misc]
    """A node of the integer network: its kind and shape; of a Dot the weights, too."""

    _expected_attributes = (
        Attribute("kind", value_type=str),
        Attribute("shape", value_type=list),
    )

    def initialize(self) -> None:
        """Declare the output, and the weights of a Dot."""
        self.add_output_variable(self.get_attr("shape"))
        if self.get_attr("weight_data") is not None:
            self.add_weights_variable("weight", "w{index}")
            width, name = self.model.config.get_precision(self, "accum")
            self.set_attr("accum_t", NamedType(name, width))


def register_layers() -> None:
    """Make the kind of layer known to hls4ml."""
    register_layer("A2QLayer", A2QLayer)


class A2QWriter(Writer):  # type: ignore[misc]
    """Writes the whole HLS project of a design."""

    def write_hls(self, model: Any) -> None:
        """Write the project in the graph's output folder, replacing ours that is there.

        One that is there already, unchanged, stays with what was built of it.
        """
        project, folder = _design(model).project, Path(model.config.get_output_dir())
        if not project.stands(folder):
            project.write(folder)


class A2QBackend(FPGABackend):  # type: ignore[misc]
    """Backend of graphs that ``to_hls4ml`` makes."""

    def __init__(self) -> None:
        """Register the flows, which hls4ml asks for by name."""
        super().__init__(name=NAME)
        self._flow = register_flow("ip", None, requires=[], backend=NAME)
        self._writer_flow = register_flow("write", ["a2q:write_hls"], [self._flow], backend=NAME)

    def get_default_flow(self) -> str:
        """Flow of a new graph: its layers are ready."""
        return str(self._flow)

    def get_writer_flow(self) -> str:
        """Flow that writes."""
        return str(self._writer_flow)

    def create_initial_config(self, **_: object) -> dict[str, Any]:
        """Refuse hls4ml's converters, whose layers this backend does not have.

        Raises:
            A2QError: always.
        """
        expected = "a graph of a2q_hls.hls4ml.to_hls4ml: import the model as QONNX first"
        raise A2QError.of("hls4ml backend 'A2Q'", "a model of hls4ml's converters", expected)

    def compile(self, model: Any) -> str:
        """Compile the design and its bridge; returns the library's path.

        Raises:
            A2QError: no compiler, or it fails.
        """
        design, folder = _design(model), Path(model.config.get_output_dir()).resolve()
        sources = (f"firmware/{design.name}.cpp", f"{design.name}_bridge.cpp")
        library = f"firmware/{design.name}-{design.project.digest[:8]}.so"
        top = "".join(text for name, text in design.project.files.items() if name.endswith(".h"))
        execute([*command(top), "-shared", *sources, "-o", library], folder)
        return str(folder / library)

    def predict(self, model: Any, x: NDArray[Any]) -> NDArray[Any]:
        """Results of frames of codes ``x`` (B, ...), as numbers of the same dtype: (B, N).

        As in hls4ml a single frame may stand without B; its result is (N,).

        Raises:
            A2QError: a value that is no code of the input, or results that the dtype rounds.
        """
        design = _design(model)
        design.accept(x)
        return np.asarray(model._predict(x))

    def build(self, model: Any, *, vsynth: bool = False, **others: bool) -> dict[str, Any]:
        """Run Vitis HLS on the project; with ``vsynth`` also Vivado's implementation.

        Returns:
            hls4ml's dictionary of reports, with the figures that the reports have.

        Raises:
            A2QError: no Vitis HLS, it failed, or a step that is not run from here.
        """
        design = _design(model)
        return report(run(design, Path(model.config.get_output_dir()), vsynth, others))


def _design(model: Any) -> Design:
    found = getattr(model, "design", None)
    if not isinstance(found, Design):
        expected = "a graph of a2q_hls.hls4ml.to_hls4ml (a saved one has no design)"
        raise A2QError.of("hls4ml backend 'A2Q'", f"a {type(model).__name__} of layers", expected)
    return found
