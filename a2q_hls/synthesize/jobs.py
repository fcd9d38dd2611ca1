# SPDX-License-Identifier: Apache-2.0
"""Tool runs as child processes, a few at a time; none of them outlives an error or an interrupt."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from weakref import WeakSet

from a2q_hls.errors import A2QError

_PROCESSES: WeakSet[subprocess.Popen[bytes]] = WeakSet()  # Of all threads.
_POLL_SECONDS = 0.02
_TAIL_LINES = 15
CONSOLE = "console.txt"


@dataclass(frozen=True)
class Job:
    """A command line in a folder; its output goes to ``console.txt`` there.

    ``environment`` is that of the process, None for our own; ``otherwise`` runs if ``command``
    fails.
    """

    name: str
    command: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str] | None = None
    otherwise: tuple[str, ...] | None = None

    @property
    def second(self) -> Job:
        """The job that runs after a failure."""
        return replace(self, command=self.otherwise or (), otherwise=None)


@dataclass
class _Running:
    job: Job
    process: subprocess.Popen[bytes]
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def kill(self) -> None:
        _kill(self.process)
        self.process.wait()


def run_jobs(
    jobs: Sequence[Job], done: Callable[[Job, float], None], limit: int, timeout: float
) -> None:
    """Run all jobs, at most ``limit`` at once; ``done(job, seconds)`` follows each success.

    Raises:
        A2QError: a job failed or ran longer than ``timeout`` seconds; the others are killed.
    """
    if limit < 1:
        raise A2QError.of("jobs at a time", limit, "at least 1")
    waiting, running = list(jobs), list[_Running]()
    try:
        while waiting or running:
            while waiting and len(running) < limit:
                running.append(_start(waiting.pop(0)))
            time.sleep(_POLL_SECONDS)
            for item in [item for item in running if _finished(item, timeout)]:
                running.remove(item)
                if item.process.returncode:
                    running.append(_start(item.job.second))
                else:
                    done(item.job, item.seconds)
    finally:
        for item in running:
            item.kill()


def stop_running() -> None:
    """Kill the jobs of all threads; their ``run_jobs`` raise."""
    for process in tuple(_PROCESSES):
        _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """With its children: vendors' tools are scripts that start the tool."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _start(job: Job) -> _Running:
    with (job.folder / CONSOLE).open("wb") as console:
        process = subprocess.Popen(
            job.command,
            cwd=job.folder,
            env=job.environment,
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _PROCESSES.add(process)
    return _Running(job, process)


def _finished(item: _Running, timeout: float) -> bool:
    code = item.process.poll()
    if code is None and item.seconds > timeout:
        raise A2QError.of(item.job.name, f"no end after {timeout:g} s", f"at most {timeout:g} s")
    if code and (code < 0 or item.job.otherwise is None):  # A killed one is not to go on.
        raise A2QError.of(item.job.name, f"exit status {code}\n{_tail(item.job)}", "exit status 0")
    return code is not None


def _tail(job: Job) -> str:
    lines = (job.folder / CONSOLE).read_text(errors="replace").splitlines()
    return "\n".join(lines[-_TAIL_LINES:])
