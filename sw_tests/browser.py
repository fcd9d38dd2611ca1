# SPDX-License-Identifier: Apache-2.0
"""Pages in headless Chromium, with a script of the test's own at their end."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


def find_chromium() -> str | None:
    """A2Q_CHROMIUM, or the first Chromium on PATH."""
    given = os.environ.get("A2Q_CHROMIUM")
    return given or next((path for name in NAMES if (path := shutil.which(name))), None)


def run(page: str, script: str, folder: Path, size: str = "1200,900") -> Any:
    """What ``script``, the body of a function, returns behind a page in Chromium.

    Errors of the page's own script come back as the first entry of a list.
    """
    chromium = find_chromium()
    assert chromium is not None
    folder.mkdir()
    watch = "<script>const errors = []; onerror = (text) => { errors.push(text); };</script>"
    test = (
        f"const found = (() => {{ {script} }})();"
        "const out = document.createElement('pre'); out.id = 'found';"
        "out.textContent = JSON.stringify([errors, found]); document.body.append(out);"
    )
    page = page.replace("<body>", f"<body>{watch}", 1)
    page = page.replace("</body>", f"<script>{test}</script></body>", 1)
    (folder / "page.html").write_text(page)
    dumped = subprocess.run(
        [chromium, *_OPTIONS, f"--user-data-dir={folder / 'profile'}", f"--window-size={size}",
         "--dump-dom", (folder / "page.html").as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    written = re.search('<pre id="found">(.*?)</pre>', dumped.stdout, re.DOTALL)
    assert written, dumped.stderr
    errors, found = json.loads(html.unescape(written[1]))
    assert errors == []
    return found
