# SPDX-License-Identifier: Apache-2.0
"""The same work on many items, by several processes, each with its share of torch's threads."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from typing import Any, TypeVar

import torch
from torch import multiprocessing

T = TypeVar("T")
_work: list[Callable[[Any], Any]] = []
"""What a process of the pool does with an item."""


def each(
    function: Callable[[Any], T],
    items: Sequence[Any],
    processes: int,
    done: Callable[[int], None] = lambda count: None,
) -> list[T]:
    """``function`` of every item, in the order of the items.

    Args:
        function: can be pickled; each process gets it once, with all that it holds.
        items: can be pickled.
        processes: with one the work is done here. An interrupt ends them all.
        done: called with the number of finished items: at the start and after every item.

    Raises:
        Exception: the first that an item raises; what has not begun by then is left.
    """
    done(0)
    if processes < 2 or len(items) < 2:
        return [_counted(function(item), index, done) for index, item in enumerate(items)]
    threads = max(1, (os.cpu_count() or 1) // processes)
    context = multiprocessing.get_context("spawn")
    workers = min(processes, len(items))
    pool = ProcessPoolExecutor(workers, context, _begin, (function, threads))
    try:
        futures = [pool.submit(_do, item) for item in items]
        _watch(futures, done)
        return [future.result() for future in futures]
    finally:
        pool.shutdown(cancel_futures=True)


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


def _begin(function: Callable[[Any], Any], threads: int) -> None:
    signal.signal(
        signal.SIGINT, signal.SIG_DFL
    )  # Ctrl-C reaches every process; this one just ends.
    torch.set_num_threads(threads)
    _work.append(function)


def _do(item: Any) -> Any:
    return _work[-1](item)
