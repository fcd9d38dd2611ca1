# SPDX-License-Identifier: Apache-2.0
"""What a synthesis found, as values and as a validated JSON file beside the tool's reports."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter, ValidationError

from a2q_hls.errors import A2QError
from a2q_hls.files import read_text, write_text
from a2q_hls.synthesize.metric import Metric, Metrics, Quantity
from a2q_hls.synthesize.module import Role


@dataclass(frozen=True)
class ModuleResult:
    """One module as top: its figures, the tool's warnings, and the folder of its reports."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    module: str
    role: Role
    metrics: Metrics
    warnings: tuple[str, ...]
    seconds: float
    command: str
    reports: Path

    @property
    def log(self) -> Path:
        """The tool's whole log."""
        return self.reports / "log.txt"


@dataclass(frozen=True)
class SynthesisResult:
    """A network and, where asked for, its layers, on one device family with one tool.

    ``whole`` is the network flattened, the figure to report. The layers are synthesized each as a
    top of their own, so their sum differs from the whole by what is optimized across borders.
    ``sources`` is the digest of the design files and memory contents that were read.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    family: str
    tool: str
    version: str
    sources: str
    whole: ModuleResult
    modules: tuple[ModuleResult, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """Distinct warnings over all modules."""
        every = (self.whole, *self.modules)
        return tuple(dict.fromkeys(text for result in every for text in result.warnings))

    def metric(self, quantity: Quantity) -> Metric:
        """A figure of the whole network.

        Raises:
            A2QError: the tool did not give it.
        """
        return self.whole.metrics[quantity]

    def module(self, name: str) -> ModuleResult:
        """Result of one layer.

        Raises:
            A2QError: the module was not synthesized on its own.
        """
        for result in (self.whole, *self.modules):
            if result.module == name:
                return result
        names = ", ".join(result.module for result in (self.whole, *self.modules))
        raise A2QError.of(f"synthesis for {self.family}", f"no module {name!r}", names)


_RESULT = TypeAdapter(SynthesisResult)


def save(result: SynthesisResult, path: Path) -> None:
    """Write the result as JSON, and the reports that its metrics name into the same folder."""
    every = [_keep(module, path.parent) for module in (result.whole, *result.modules)]
    kept = replace(result, whole=every[0], modules=tuple(every[1:]))
    write_text(path, _RESULT.dump_json(kept, indent=1).decode() + "\n")


def _keep(module: ModuleResult, folder: Path) -> ModuleResult:
    """The module with its reports copied to where its metrics say that they are."""
    place = Path(next(iter(module.metrics.rows.values())).source).parent
    target = folder / place
    if target.resolve() != module.reports.resolve():
        target.mkdir(parents=True, exist_ok=True)
        for report in filter(Path.is_file, module.reports.iterdir()):
            shutil.copyfile(report, target / report.name)
    return replace(module, reports=place)


def load(path: Path) -> SynthesisResult:
    """Read a result that ``save`` wrote.

    Raises:
        A2QError: no such file, or not of this form.
    """
    expected = "a synthesis result"
    try:
        result = _RESULT.validate_json(read_text(path, expected))
    except ValidationError as error:
        raise A2QError.of(str(path), error.errors()[0]["msg"], expected) from error
    every = [replace(m, reports=path.parent / m.reports) for m in (result.whole, *result.modules)]
    return replace(result, whole=every[0], modules=tuple(every[1:]))
