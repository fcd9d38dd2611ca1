# SPDX-License-Identifier: Apache-2.0
"""Files are whole or absent, also where several threads write the same one."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from a2q_hls.files import replacing, write_text


def test_threads_may_write_the_same_file_at_once(tmp_path: Path) -> None:
    both = Barrier(2)

    def write(text: str) -> None:
        with replacing(tmp_path / "x.json") as temporary:
            temporary.write_text(text)
            both.wait(10)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, ["one", "two"]))
    assert (tmp_path / "x.json").read_text() in ("one", "two")
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


def test_failed_block_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    write_text(tmp_path / "x.json", "old")
    with pytest.raises(RuntimeError), replacing(tmp_path / "x.json") as temporary:  # noqa: PT012
        temporary.write_text("new")
        raise RuntimeError
    assert (tmp_path / "x.json").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]
