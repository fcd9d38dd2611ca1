# SPDX-License-Identifier: Apache-2.0
"""training.json, as far as later stages read it."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from a2q_hls.bound import Certified
from a2q_hls.documents import load_json
from a2q_hls.errors import A2QError
from a2q_hls.flow.data import Frames, frames
from a2q_hls.report.model import Method

FILE = "training.json"
TESTS = "test.npz"


_RECORDS = {"train": FILE, "quantize": "quantize.json"}


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class TrainedData(_Lenient):
    """Share of the training images that was held out for evaluation; 0: the test part was used."""

    held_out: float = 0.0


class TrainedStage(_Lenient):
    """Weight of the wide teacher's answers in a stage's loss."""

    distillation: float = 0.0


class TrainedConfig(_Lenient):
    """What a report needs of a training's configuration."""

    method: Method
    seed: int
    variant: str = ""
    data: TrainedData = TrainedData()
    start: TrainedStage = TrainedStage()
    training: TrainedStage = TrainedStage()


class TrainedFigures(_Lenient):
    """What a report needs of a training's figures, on the evaluation samples."""

    float_accuracy: float
    accuracy: float
    rounding: dict[str, str] = {}


class Training(_Lenient):
    """The record of a training."""

    config: TrainedConfig
    figures: TrainedFigures

    @property
    def distilled(self) -> bool:
        """Whether the quantized network had a teacher that its float baseline had not."""
        return self.config.training.distillation > 0 and self.config.start.distillation == 0


def training(run: Path) -> Training:
    """The record of a run's training.

    Raises:
        A2QError: the run has none, or it is damaged.
    """
    return load_json(Training, run / FILE, "a run written by 'a2q-hls train'")


def refuse_other_run(run: Path, verb: str) -> None:
    """A run folder is of one verb: another's record would speak of a network that it did not make.

    Raises:
        A2QError: the folder holds the record of another verb.
    """
    for other, file in _RECORDS.items():
        if other != verb and (run / file).exists():
            found = f"{file}, the record of 'a2q-hls {other}'"
            raise A2QError.of(str(run), found, f"a folder of its own for 'a2q-hls {verb}': --out")


def frames_of(run: Path, certified: Certified, file: Path | None = None) -> Frames:
    """Frames for a run's network: those of ``file``, else what its training was evaluated on."""
    share = training(run).config.data.held_out if (run / FILE).exists() else 0.0
    return frames(certified, file, share, run / TESTS)
