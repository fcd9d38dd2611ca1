# SPDX-License-Identifier: Apache-2.0
"""A design point: one network on chosen engines and widths, as a folder.

RUN/network.a2q  training.json  certificate.json
RUN/points/NAME/plan.json  hls/  rtl/  simulate_*.json  synthesize_*.json
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from typing_extensions import assert_never

from a2q_hls import store
from a2q_hls.aim import PATTERN, Aim
from a2q_hls.bound import Certified, certify
from a2q_hls.documents import load_json
from a2q_hls.errors import A2QError
from a2q_hls.files import write_text
from a2q_hls.plan import Engine, Folded, Plan, Structure, Unrolled, Widths, plan
from a2q_hls.sparse import Terms
from a2q_hls.stages import Sparse

_NAME = re.compile("[A-Za-z0-9][A-Za-z0-9_.-]*")
_MADE = (
    *("hls", "rtl", "build", "synthesis", "route", "vitis", "vivado", "*.failed"),
    *("simulate_*.json", "synthesize_*.json", "route_*.json"),
)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class UnrolledSpec(_Strict):
    """Unrolled engine in a file."""

    kind: Literal["unrolled"] = "unrolled"
    levels: int = Field(0, ge=0)
    structure: Structure = Structure.CHAINS


class FoldedSpec(_Strict):
    """Folded engine in a file."""

    kind: Literal["folded"] = "folded"
    pe: int = Field(ge=1)
    simd: int = Field(ge=1)


class SparseSpec(_Strict):
    """Sparse engine in a file."""

    kind: Literal["sparse"] = "sparse"
    lanes: int = Field(ge=1)
    fill: int = Field(1, ge=1)
    terms: Terms = Terms.SIGNS
    pe: int = Field(1, ge=1)


EngineSpec = UnrolledSpec | FoldedSpec | SparseSpec


class PlanSpec(_Strict):
    """plan.json: what rebuilds a plan from its network; ``digest`` names the network it was for.

    ``aim`` is what the planner met, such as ``cycles64``; None where engines were chosen.
    """

    format: Literal["a2q_hls plan"] = "a2q_hls plan"
    version: Literal[1] = 1
    network: str
    widths: Widths
    engines: dict[str, Annotated[EngineSpec, Field(discriminator="kind")]]
    digest: str
    aim: str | None = Field(None, pattern=f"^{PATTERN}$")


@dataclass(frozen=True)
class Point:
    """A loaded design point."""

    root: Path
    plan: Plan

    @property
    def run(self) -> Path:
        """Folder of the network's run."""
        return self.root.parent.parent

    @property
    def name(self) -> str:
        """Run and point, for tables."""
        return f"{self.run.name}/{self.root.name}"

    @property
    def engines(self) -> Mapping[str, EngineSpec]:
        """Engine of every Dot."""
        return load_spec(self.root).engines

    @property
    def aim(self) -> Aim | None:
        """What the planner met; None where engines were chosen."""
        label = load_spec(self.root).aim
        return Aim.parse(label) if label else None


def load_network(run: Path) -> Certified:
    """Certified network of a run folder, or of a network file."""
    return certify(store.load(run / "network.a2q" if run.is_dir() else run))


def create(
    run: Path,
    engines: Mapping[str, Engine],
    widths: Widths,
    name: str = "",
    aim: Aim | None = None,
) -> Point:
    """Plan a design point of a run and write its plan.json.

    ``aim`` is what a planner chose the engines for: reports compare designs of one aim. What was
    generated and found for another plan of that name is removed.

    Raises:
        A2QError: no run, a name that is no folder's, or the network cannot be planned so.
    """
    if not run.is_dir():
        raise A2QError.of(str(run), "no folder", "a run folder with network.a2q")
    if name and not _NAME.fullmatch(name):
        raise A2QError.of("name of a design point", repr(name), "letters, digits, '_', '.', '-'")
    certified = load_network(run)
    planned = plan(certified, engines, widths)
    root = run / "points" / (name or default_name(engines, widths, aim))
    specs = {key: _spec(engine) for key, engine in engines.items()}
    digest = store.digest(certified.network)
    label = aim.label if aim else None
    spec = PlanSpec(network=planned.name, widths=widths, engines=specs, digest=digest, aim=label)
    _write(spec, root)
    return Point(root, planned)


def _write(spec: PlanSpec, root: Path) -> None:
    path, text = root / "plan.json", spec.model_dump_json(indent=1, exclude_none=True) + "\n"
    if not (path.exists() and _same(path.read_text(), spec)):
        for made in (found for pattern in _MADE for found in root.glob(pattern)):
            shutil.rmtree(made) if made.is_dir() else made.unlink()
        path.unlink(missing_ok=True)  # Last: what is left after an interrupt belongs to it.
    write_text(path, text)


def _same(text: str, spec: PlanSpec) -> bool:
    """Whether the text is of the same plan, whatever it was made for."""
    try:
        return PlanSpec.model_validate_json(text).model_copy(update={"aim": spec.aim}) == spec
    except ValidationError:
        return False


def open_point(root: Path) -> Point:
    """Design point of a folder.

    Raises:
        A2QError: no point, or its network has changed since it was planned.
    """
    spec = load_spec(root)
    certified = load_network(root.parent.parent)
    if store.digest(certified.network) != spec.digest:
        found = f"a plan for another network than {root.parent.parent / 'network.a2q'}"
        raise A2QError.of(str(root), found, "a point generated from this network")
    engines = {key: _engine(engine) for key, engine in spec.engines.items()}
    return Point(root, plan(certified, engines, spec.widths))


def load_spec(root: Path) -> PlanSpec:
    """plan.json of a point, validated."""
    return load_json(PlanSpec, root / "plan.json", "a design point written by 'a2q-hls generate'")


def default_name(engines: Mapping[str, Engine], widths: Widths, aim: Aim | None = None) -> str:
    """Name from the aim or the first engine, and the widths: ``cycles64_exact``."""
    first = next(iter(engines.values()))
    return f"{aim.label if aim else engine_name(first)}_{widths.value}"


def engine_name(engine: Engine) -> str:
    """Short name of an engine: ``unrolled``, ``unrolled2`` with levels, ``folded4x8``.

    Unrolled means carry chains; ``unrolled_adders`` names the other structure.
    """
    match engine:
        case Unrolled():
            adders = "_adders" if engine.structure is Structure.ADDERS else ""
            return f"unrolled{engine.levels or ''}{adders}"
        case Folded():
            return f"folded{engine.pe}x{engine.simd}"
        case Sparse():
            return f"sparse{engine.pe}x{engine.lanes}"
        case _:
            assert_never(engine)


def _spec(engine: Engine) -> EngineSpec:
    match engine:
        case Unrolled():
            return UnrolledSpec(levels=engine.levels, structure=engine.structure)
        case Folded():
            return FoldedSpec(pe=engine.pe, simd=engine.simd)
        case Sparse():
            return SparseSpec(**asdict(engine))
        case _:
            assert_never(engine)


def _engine(spec: EngineSpec) -> Engine:
    match spec:
        case UnrolledSpec():
            return Unrolled(spec.levels, spec.structure)
        case FoldedSpec():
            return Folded(spec.pe, spec.simd)
        case SparseSpec():
            return Sparse(spec.lanes, spec.fill, spec.terms, spec.pe)
        case _:
            assert_never(spec)


def points(run: Path) -> tuple[Path, ...]:
    """Folders of all design points of a run, by name."""
    return tuple(sorted(path.parent for path in run.glob("points/*/plan.json")))


def resolve(path: Path) -> Path:
    """A design point's folder, also where ``path`` is a run that has only one.

    Raises:
        A2QError: neither, or a run with several points.
    """
    if (path / "plan.json").exists():
        return path
    found = points(path)
    if len(found) == 1:
        return found[0]
    names = ", ".join(point.name for point in found) or "no plan.json"
    raise A2QError.of(str(path), names, "one design point written by 'a2q-hls generate'")
