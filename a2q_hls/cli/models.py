# SPDX-License-Identifier: Apache-2.0
"""Verbs of a user's own model: quantize, diagnose, search and study."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
import yaml
from rich.table import Table

from a2q_hls.cli.certify import certify
from a2q_hls.cli.console import bars, console, show
from a2q_hls.flow.record import refuse_other_run

if TYPE_CHECKING:
    from a2q_hls.train.graph.diagnose import Diagnosis, Finding
    from a2q_hls.train.graph.job import Job

Model = Annotated[str, typer.Option(help="package.module:factory of a torch module.")]
RecipeFile = Annotated[Path, typer.Option(help="YAML recipe; see configs/recipes.")]
Data = Annotated[
    str,
    typer.Option(
        help="digits, or mnist, fashion_mnist, cifar10, bsd300 with :FOLDER, or "
        "package.module:function that gives a DataSet."
    ),
]
Weights = Annotated[Path | None, typer.Option(help="State dict of the float model (torch.save).")]
FloatEpochs = Annotated[
    int, typer.Option(min=0, help="Train the float model first, this many epochs.")
]
Seed = Annotated[int, typer.Option(min=0)]
Device = Annotated[
    str,
    typer.Option(help="Where networks train, in torch's words: cpu, cuda. The rest is on the CPU."),
]


def quantize(
    model: Model,
    recipe: RecipeFile,
    data: Data,
    weights: Weights = None,
    float_epochs: FloatEpochs = 0,
    seed: Seed = 0,
    device: Device = "cpu",
    out: Annotated[Path | None, typer.Option(help="Default runs/<name of the recipe>.")] = None,
) -> None:
    """Quantize a torch model as a recipe says, export its integers, and certify them.

    Interrupt it when you like: the same command goes on from the last checkpoint.

    Example: [bold]a2q-hls quantize --model a2q_hls.zoo.convolutional:SmallCNN --recipe
    configs/recipes/a2qplus.yaml --data fashion_mnist:data --float-epochs 8[/]
    """
    from a2q_hls.train.graph.fit import shown
    from a2q_hls.train.graph.job import run_job

    folder = out or Path("runs") / recipe.stem
    refuse_other_run(folder, "quantize")
    job = _job(model, recipe, data, weights, float_epochs, seed, device)
    with bars() as progress:
        done = run_job(job, folder, progress.report)
    figures = done.figures
    console.print(f"float model    {shown(figures.float_score, job.data)}")
    console.print(f"integer model  {shown(figures.score, job.data)}")
    console.print(f"zero weights   {figures.sparsity:.1%}")
    certify(folder)


def _job(
    model: str,
    recipe: Path,
    data: str,
    weights: Path | None,
    float_epochs: int,
    seed: int,
    device: str,
) -> Job:
    from a2q_hls.train.graph.fit import device_of
    from a2q_hls.train.graph.job import Job
    from a2q_hls.train.graph.recipe import Recipe
    from a2q_hls.zoo.datasets import load_data

    device_of(device)

    sys.path.insert(0, str(Path.cwd()))  # The user's modules lie where the command is given.
    return Job(model, Recipe.load(recipe), load_data(data), weights, float_epochs, seed, device)


def diagnose(
    model: Model,
    recipe: RecipeFile,
    data: Data,
    weights: Weights = None,
    float_epochs: FloatEpochs = 0,
    seed: Seed = 0,
    device: Device = "cpu",
    out: Annotated[Path, typer.Option(help="Folder of the plots.")] = Path("runs/diagnose"),
) -> None:
    """Where a quantized model loses: weights alone, activations alone, each layer alone, ranges;
    and what to try next.

    Example: [bold]a2q-hls diagnose --model net:make --weights net.pt --recipe
    configs/recipes/ptq_w8a8.yaml --data fashion_mnist:data[/]
    """
    from a2q_hls.report.ranges import draw
    from a2q_hls.train.graph.diagnose import diagnose as run_diagnosis
    from a2q_hls.train.graph.fit import shown
    from a2q_hls.train.graph.job import float_model

    job = _job(model, recipe, data, weights, float_epochs, seed, device)
    with bars() as progress:
        network = float_model(job, out, progress.report)
        found = run_diagnosis(network, job.recipe, job.data, progress.report)
    console.print(f"float model  {shown(found.float_score, job.data)}")
    show(_findings(found, job))
    for path in draw(found.ranges, out):
        console.print(f"plot: {path}", soft_wrap=True)
    console.print("try next:")
    for number, step in enumerate(found.advice, 1):
        console.print(f"  {number}. {step}", soft_wrap=True, markup=False)


def _findings(found: Diagnosis, job: Job) -> Table:
    from a2q_hls.train.graph.diagnose import IMAGES
    from a2q_hls.train.graph.fit import shown

    table = Table(title=f"Quantized in parts, before any training; at most {IMAGES:,} test inputs")
    for head in ("quantized", "SQNR of the output", "score"):
        table.add_column(head, justify="left" if head == "quantized" else "right")

    def row(finding: Finding, name: str) -> None:
        table.add_row(name, f"{finding.sqnr:.1f} dB", shown(finding.score, job.data))

    for finding in (found.whole, found.weights, found.activations):
        row(finding, finding.name)
    for finding in found.layers:
        row(finding, f"layer {finding.name} alone")
    return table


def search(
    model: Model,
    recipe: RecipeFile,
    data: Data,
    luts: Annotated[float, typer.Option(min=1, help="Budget of all layers together.")],
    cycles: Annotated[int, typer.Option(min=1, help="Cycles an image, of every layer.")] = 10_000,
    weights: Weights = None,
    float_epochs: FloatEpochs = 0,
    seed: Seed = 0,
    device: Device = "cpu",
    out: Annotated[Path, typer.Option(help="The new recipe.")] = Path("runs/searched.yaml"),
) -> None:
    """Bits of every layer by sensitivity, under a LUT budget of FINN's cost model.

    The sensitivities are kept beside the recipe: another budget takes no time.

    Example: [bold]a2q-hls search --model net:make --recipe r.yaml --data digits --luts 5000[/]
    """
    from a2q_hls.files import write_text
    from a2q_hls.train.graph.job import float_model
    from a2q_hls.train.graph.search import Kept
    from a2q_hls.train.graph.search import search as run_search

    job = _job(model, recipe, data, weights, float_epochs, seed, device)
    with bars() as progress:
        network = float_model(job, out.parent, progress.report)
        example = job.data.calibration(job.recipe.calibration)
        kept = Kept(out.with_suffix(".sensitivities.json"), job.digest)
        arguments = (network, job.recipe, example, luts, cycles, progress.report, kept)
        found, chosen = run_search(*arguments)
    table = Table(title=f"Bits by sensitivity, at {cycles} cycles an image")
    for head in ("layer", "bits", "LUTs (model)", "SQNR alone"):
        table.add_column(head, justify="left" if head == "layer" else "right")
    for choice in chosen:
        table.add_row(choice.size.name, str(choice.bits), f"{choice.luts:.0f}", choice.decibels)
    show(table)
    write_text(out, yaml.safe_dump(found.model_dump(mode="json"), sort_keys=False))
    console.print(f"recipe: {out}", soft_wrap=True)


def study(
    config: Annotated[Path, typer.Argument(help="YAML study; see configs/studies.")],
    data: Annotated[str, typer.Option(help="Overrides the study's data set: NAME:FOLDER.")] = "",
    out: Annotated[Path | None, typer.Option(help="Default runs/<name of the study>.")] = None,
    report: Annotated[Path | None, typer.Option(help="Default the runs' folder.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Networks at a time, a process each.")] = 1,
    device: Device = "cpu",
) -> None:
    """Quantize one network in many ways and at many widths, and report what each keeps.

    Interrupt it when you like: the same command goes on from what is done.

    Example: [bold]a2q-hls study configs/studies/digits.yaml[/]
    """
    from a2q_hls.report.study import write_study
    from a2q_hls.train.graph.study import Run, Study
    from a2q_hls.zoo.datasets import load_data

    sys.path.insert(0, str(Path.cwd()))
    settings = Study.load(config)
    found = load_data(data or settings.data)
    folder = out or Path("runs") / settings.name
    with bars() as progress:
        results = Run(settings, found, folder, device, progress.report).results(jobs)
    name, _, place = data.partition(":")
    shown = data if "." in name else f"{name}:FOLDER"  # A folder is the reader's own.
    command = f"a2q-hls study {config}" + (f" --data {shown}" if place else "")
    pages = write_study(settings, results, found.name, report or folder, command)
    for path in pages:
        console.print(f"report: {path}", soft_wrap=True)
