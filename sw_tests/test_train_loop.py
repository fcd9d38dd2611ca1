# SPDX-License-Identifier: Apache-2.0
"""Training: deterministic, resumable, and its results on disk."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from a2q_hls import interpret, store
from a2q_hls.bound import certify
from a2q_hls.errors import A2QError
from a2q_hls.train import Config, Progress, classify, parse_config, predict, train
from a2q_hls.train.checkpoint import load_checkpoint
from a2q_hls.train.loop import classification_loss as loss
from a2q_hls.zoo.digits import digits, held_out

pytestmark = pytest.mark.xdist_group("train_loop")  # One worker, one training.

SHORT = {"epochs": 12, "batch": 64}


def config(method: str = "a2q+", **changes: object) -> Config:
    """A training of seconds."""
    teacher = SHORT | {"hidden": [48]}
    values = {"name": "tiny", "method": method, "accumulators": 9, "teacher": teacher}
    return parse_config(values | {"start": SHORT, "training": SHORT} | changes)


class Interrupt(Exception):
    """What a user's Ctrl-C stands for here."""


def interrupting(stage: str, epoch: int) -> Callable[[Progress], None]:
    """A progress callback that interrupts after that epoch."""

    def report(progress: Progress) -> None:
        if (progress.stage, progress.epoch) == (stage, epoch):
            raise Interrupt

    return report


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of an uninterrupted training."""
    out = tmp_path_factory.mktemp("finished")
    train(config(), out)
    return out


def test_a_training_learns_and_certifies_at_its_accumulators(finished: Path) -> None:
    network = store.load(finished / "network.a2q")
    certified = certify(network)
    assert [c.trained.bits for c in certified.certificates.values()] == [9, 9]
    data = digits()
    accuracy = (classify(interpret.run(network, data.x_test)) == data.y_test).mean()
    figures = json.loads((finished / "training.json").read_text())["figures"]
    assert figures["accuracy"] == accuracy > 0.8
    assert figures["float_accuracy"] > 0.8
    assert figures["nonzeros"]["fc1"] == np.count_nonzero(network.dots[0].matrix)


def test_the_same_seed_gives_the_same_bytes(finished: Path, tmp_path: Path) -> None:
    train(config(), tmp_path)
    for name in ("network.a2q", "training.json"):
        assert (tmp_path / name).read_bytes() == (finished / name).read_bytes()


def test_another_seed_gives_another_network(finished: Path, tmp_path: Path) -> None:
    train(config(seed=1), tmp_path)
    ours = store.load(tmp_path / "network.a2q").dots[0].weights
    assert ours != store.load(finished / "network.a2q").dots[0].weights


@pytest.mark.parametrize(
    ("stage", "epoch"), [("teacher", 11), ("float", 3), ("quantized", 11), ("quantized", 12)]
)
def test_resuming_gives_what_an_uninterrupted_training_gives(
    finished: Path, tmp_path: Path, stage: str, epoch: int
) -> None:
    with pytest.raises(Interrupt):
        train(config(), tmp_path, interrupting(stage, epoch))
    seen: list[Progress] = []
    train(config(), tmp_path, seen.append)
    # From the checkpoint of epoch 10 on, and not from the start.
    expected = {3: 1, 11: 11, 12: None}[epoch]
    assert next((p.epoch for p in seen if p.stage == stage), None) == expected
    for name in ("network.a2q", "training.json"):
        assert (tmp_path / name).read_bytes() == (finished / name).read_bytes()


def test_progress_counts_every_epoch_of_every_stage(tmp_path: Path) -> None:
    seen: list[Progress] = []
    train(config("float"), tmp_path, seen.append)
    expected = [(stage, epoch) for stage in ("teacher", "float") for epoch in range(1, 13)]
    assert [(p.stage, p.epoch) for p in seen] == expected
    assert seen[11].loss < seen[0].loss


def test_a_float_training_has_no_integer_network(tmp_path: Path) -> None:
    result = train(config("float"), tmp_path)
    assert result.network is None
    assert result.figures.accuracy is None
    assert not (tmp_path / "network.a2q").exists()


def test_float_networks_are_shared_between_trainings(finished: Path, tmp_path: Path) -> None:
    seen: list[Progress] = []
    result = train(config("qat", accumulators=32), tmp_path, seen.append, shared=finished)
    assert {p.stage for p in seen} == {"quantized"}
    assert not (tmp_path / "float.ckpt").exists()
    assert result.network is not None
    assert [dot.accumulator.bits for dot in result.network.dots] == [32, 32]


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "a2q"},
        {"rounding": "toward zero"},
        {"activations": {"bias": True, "rounding": "half up"}},
    ],
    ids=str,
)
def test_every_method_trains_to_a_certified_network_equal_to_torch(
    finished: Path, tmp_path: Path, changes: dict[str, object]
) -> None:
    result = train(config(**({"accumulators": 11} | changes)), tmp_path, shared=finished)
    assert result.network is not None
    certify(result.network)
    x = digits().x_test
    assert np.array_equal(interpret.run(result.network, x), predict(result.model, x))
    assert result.figures.accuracy is not None
    assert result.figures.accuracy > 0.6


def test_a_sparsity_penalty_removes_weights(finished: Path, tmp_path: Path) -> None:
    sparse = config(training=SHORT | {"sparsity": 5e-3})
    figures = train(sparse, tmp_path, shared=finished).figures
    dense = json.loads((finished / "training.json").read_text())["figures"]
    assert figures.nonzeros is not None
    assert figures.nonzeros["fc1"] < 0.9 * dense["nonzeros"]["fc1"]


def test_a_folder_of_another_training_is_refused(finished: Path, tmp_path: Path) -> None:
    with pytest.raises(A2QError, match=r"teacher\.ckpt: found another configuration"):
        train(config(seed=5), tmp_path, shared=finished)


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "teacher.ckpt"
    for content in (b"", b"not a checkpoint"):
        path.write_bytes(content)
        with pytest.raises(A2QError, match=r"teacher\.ckpt: found a damaged file"):
            train(config(), tmp_path)


def test_a_truncated_checkpoint_is_refused(finished: Path, tmp_path: Path) -> None:
    whole = (finished / "quantized.ckpt").read_bytes()
    path = tmp_path / "quantized.ckpt"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(A2QError, match="damaged"):
        load_checkpoint(path, "")


class _Payload:
    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return (Path.touch, (Path("executed"),))


def test_a_checkpoint_cannot_run_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"version": 1, "model": _Payload()}, tmp_path / "teacher.ckpt")
    with pytest.raises(A2QError, match="damaged"):
        load_checkpoint(tmp_path / "teacher.ckpt", "")
    assert not (tmp_path / "executed").exists()


def test_a_checkpoint_of_another_version_is_refused(tmp_path: Path) -> None:
    torch.save({"version": 99}, tmp_path / "old.ckpt")
    with pytest.raises(A2QError, match="found version 99"):
        load_checkpoint(tmp_path / "old.ckpt", "")


def test_training_on_a_held_out_part_never_sees_the_test_images(tmp_path: Path) -> None:
    whole, part = digits(), held_out(digits(), 0.2)
    test = {image.tobytes() for image in whole.x_test}
    train_images = {image.tobytes() for image in whole.x_train}
    for images in (part.x_train, part.x_test):
        assert {image.tobytes() for image in images} <= train_images
    assert len(part.x_train) + len(part.x_test) == len(whole.x_train)
    assert not test & train_images
    figures = train(config("float", data={"held_out": 0.2}), tmp_path).figures
    # 270 images are held out: the accuracy is a multiple of 1/270.
    assert figures.float_accuracy * 270 == pytest.approx(round(figures.float_accuracy * 270))


def test_the_loss_of_a_student_that_equals_its_teacher_is_that_of_the_labels() -> None:
    logits, labels = torch.tensor([[2.0, 0.0], [0.5, 1.0]]), torch.tensor([0, 1])
    fit = config(training=SHORT | {"distillation": 0.5}).training
    alone = loss(logits, labels, None, fit)
    assert loss(logits, labels, logits, fit) == pytest.approx(float(alone) * (1 - fit.distillation))
    assert loss(logits, labels, -logits, fit) > alone


def test_equal_outputs_go_to_the_first_class() -> None:
    assert classify(np.array([[1, 3, 3], [2, 2, 2]])).tolist() == [1, 0]


def test_signed_activations_train_and_certify(tmp_path: Path) -> None:
    result = train(config(activations={"bits": 4, "signed": True}), tmp_path)
    assert result.network is not None
    assert str(certify(result.network).certificates["fc2"].x) == "int4"
    assert result.figures.accuracy is not None
    assert result.figures.accuracy > 0.8


def test_exact_bound_of_trained_qat_is_within_the_types(tmp_path: Path) -> None:
    result = train(config("qat", accumulators=32), tmp_path)
    assert result.network is not None
    for proof in certify(result.network).certificates.values():
        assert proof.accumulator.bits <= proof.data_type_bits < 32
    assert set((result.figures.rounding or {}).values()) == {"nearest"}
