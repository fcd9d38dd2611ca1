# SPDX-License-Identifier: Apache-2.0
"""The same work on many items, by several processes, each with its share of torch's threads."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from types import TracebackType
from typing import Any, Generic, TypeVar

import torch
from torch import multiprocessing

S = TypeVar("S")
T = TypeVar("T")
_subjects: list[Any] = []
"""What a process of the pool works on."""


class Workers(Generic[S]):
    """Processes that work on one subject; they start with the first work and end with the block."""

    def __init__(self, subject: S, processes: int) -> None:
        """Workers of a subject that can be pickled, which each of them gets once.

        Args:
            processes: with one, and while there is a single item, the work is done here. An
                interrupt ends them all.
        """
        self._subject, self._processes = subject, processes
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Workers[S]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def each(
        self,
        function: Callable[[S, Any], T],
        items: Sequence[Any],
        done: Callable[[int], None] = lambda count: None,
    ) -> list[T]:
        """``function`` of the subject and every item, in the order of the items.

        Args:
            function: can be pickled.
            items: can be pickled.
            done: called with the number of finished items: at the start and after every item.

        Raises:
            Exception: the first that an item raises; what has not begun when the block ends is
                left.
        """
        done(0)
        if self._processes < 2 or (self._pool is None and len(items) < 2):
            return [
                _counted(function(self._subject, item), index, done)
                for index, item in enumerate(items)
            ]
        self._pool = self._pool or self._started()
        futures = [self._pool.submit(_do, function, item) for item in items]
        _watch(futures, done)
        return [future.result() for future in futures]

    def _started(self) -> ProcessPoolExecutor:
        threads = max(1, (os.cpu_count() or 1) // self._processes)
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._processes, context, _begin, (self._subject, threads))


def _counted(result: T, index: int, done: Callable[[int], None]) -> T:
    done(index + 1)
    return result


def _watch(futures: list[Future[Any]], done: Callable[[int], None]) -> None:
    pending = set(futures)
    while pending:
        finished, pending = wait(pending, return_when=FIRST_COMPLETED)
        for future in finished:
            future.result()
        done(len(futures) - len(pending))


def _begin(subject: Any, threads: int) -> None:
    signal.signal(
        signal.SIGINT, signal.SIG_DFL
    )  # Ctrl-C reaches every process; this one just ends.
    torch.set_num_threads(threads)
    _subjects.append(subject)


def _do(function: Callable[[Any, Any], T], item: Any) -> T:
    return function(_subjects[-1], item)
