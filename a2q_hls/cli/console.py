# SPDX-License-Identifier: Apache-2.0
"""Terminal output: consoles, progress bars and names of paths."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.measure import Measurement
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.segment import Segments
from rich.table import Table

_WIDE = 180
_ANY = 10_000  # Columns, more than any table has.


def _console() -> Console:
    """Where results go; in files and pipes tables are not cut at the 80 columns of no terminal."""
    made = Console(emoji=False)  # What users write may hold ":b:".
    narrow = made.is_terminal or "COLUMNS" in os.environ
    return made if narrow else Console(width=_WIDE, emoji=False)


def show(table: Table) -> None:
    """Print a table whole: in a terminal that is too narrow its lines are broken, not cut."""
    least = Measurement.get(console, console.options.update(max_width=_ANY), table).minimum
    width = max(console.width, least)
    lines = console.render(table, console.options.update(width=width, max_width=width))
    console.print(Segments(lines), end="", crop=False, soft_wrap=True)


console = _console()
errors = Console(stderr=True, soft_wrap=True, emoji=False)
_FINISHED = 4


@dataclass
class Bars:
    """Progress bars by name, made when they are first reported; of finished ones the last four
    stay."""

    progress: Progress
    tasks: dict[str, TaskID] = field(default_factory=dict)
    finished: list[TaskID] = field(default_factory=list)

    def report(self, name: str, done: int, total: int) -> None:
        """Set a bar to ``done`` of ``total``."""
        if name not in self.tasks:
            self.tasks[name] = self.progress.add_task(name, total=total)
        self.progress.update(self.tasks[name], completed=done, total=total)
        if done >= total and self.tasks[name] not in self.finished:
            self.finished.append(self.tasks[name])
        for old in self.finished[:-_FINISHED]:
            self.progress.update(old, visible=False)


@contextmanager
def bars() -> Iterator[Bars]:
    """Progress bars with elapsed time and an estimate of what remains."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=errors) as progress:
        yield Bars(progress)
