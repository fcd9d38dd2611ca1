# SPDX-License-Identifier: Apache-2.0
"""What the site has beside docs/: changes, reports, recipes, commands and the API by stage.

Links of pages that leave docs/ (``../../reports/digits/report.md``) are right in the repository; in
the site they lose the step out of docs/. A full name in code marks (``a2q_hls.bound.certify``)
becomes a link to the API, so that a name that is gone breaks the strict build.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "a2q_hls"
BESIDE = ("CHANGELOG.md", "reports/**/*.md", "reports/**/*.svg", "configs/**/*.yaml")
GROUPS: Mapping[str, Sequence[str]] = {
    "Integers": ("errors", "ints", "interval", "network", "check", "interpret", "store", "sizes"),
    "Proof": ("bound", "witness"),
    "Training": ("train", "train.graph", "zoo"),
    "Other tools": ("qonnx", "hls4ml"),
    "Planning": ("plan", "folding", "aim", "stages", "steps", "adders", "sparse", "cost", "timing"),
    "Generation": ("project", "emit"),
    "Simulation": ("simulate",),
    "Synthesis": ("synthesize", "synthesize.vendor"),
    "Reports": ("report", "flow"),
}
HIDDEN = ("cli", "__main__", "__init__")  # The command line has a page of its own.
NAME = re.compile(r"(?<![\[`])`(a2q_hls(?:\.\w+)+)`(?!\])")
FENCE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Fill in the parts of the navigation that are lists of files."""
    lists = {
        "Decisions": [f"adr/{path.name}" for path in sorted((ROOT / "docs" / "adr").glob("*.md"))],
        "Reports": ["reports/index.md", *_reports()],
        "API": ["api/index.md", *({title: pages} for title, pages in _api_nav().items())],
    }
    config.nav = [_filled(entry, lists) for entry in config.nav or []]
    return config


def _filled(entry: Any, lists: Mapping[str, Sequence[Any]]) -> Any:
    title = next(iter(entry)) if isinstance(entry, dict) else ""
    return {title: list(lists[title])} if title in lists else entry


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what lies beside docs/, and the pages that are made from the source."""
    for pattern in BESIDE:
        for path in sorted(ROOT.glob(pattern)):
            place = path.relative_to(ROOT).as_posix()
            files.append(File.generated(config, place, abs_src_path=str(path)))
    for place, text in _api_pages():
        files.append(File.generated(config, place, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links to what lies beside docs/, and to the API."""
    place = page.file.src_uri
    depth, lists = place.count("/"), LISTS.get(place)
    out, inside = "../" * (depth + 1), "../" * depth
    parts = FENCE.split(markdown.replace(f"]({out}", f"]({inside}"))
    parts[::2] = [NAME.sub(r"[`\1`][\1]", part) for part in parts[::2]]
    return "".join(parts) + (lists() if lists else "")


def _reports() -> list[str]:
    found = (*ROOT.glob("reports/*/report.md"), *ROOT.glob("reports/bench/*.md"))
    return sorted(path.relative_to(ROOT).as_posix() for path in found)


def _modules() -> Iterator[str]:
    """Names of all modules below a2q_hls, packages before their parts."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if parts and parts[0] not in HIDDEN:
            yield ".".join(parts)


def _api() -> dict[str, dict[str, list[str]]]:
    """Modules of every API page, by group and page; a module is on the page of its longest name."""
    pages = {name: group for group, names in GROUPS.items() for name in names}
    found: dict[str, dict[str, list[str]]] = {group: {} for group in (*GROUPS, "Further")}
    for module in _modules():
        fitting = [name for name in pages if f"{module}.".startswith(f"{name}.")]
        page = max(fitting, key=len) if fitting else module.split(".")[0]
        found[pages.get(page, "Further")].setdefault(page, []).append(module)
    return {group: found[group] for group in found if found[group]}


def _api_nav() -> dict[str, list[dict[str, str]]]:
    return {
        group: [{name: f"api/{name}.md"} for name in sorted(pages, key=_rank)]
        for group, pages in _api().items()
    }


def _rank(name: str) -> tuple[int, str]:
    order = [name for names in GROUPS.values() for name in names]
    return (order.index(name) if name in order else len(order), name)


def _api_pages() -> Iterator[tuple[str, str]]:
    for pages in _api().values():
        for page, modules in pages.items():
            parts = "\n\n".join(f"::: a2q_hls.{module}" for module in modules)
            yield f"api/{page}.md", f"# a2q_hls.{page}\n\n{parts}\n"


def _api_list() -> str:
    lines = []
    for group, pages in _api().items():
        links = [f"- [a2q_hls.{name}]({name}.md)" for name in sorted(pages, key=_rank)]
        lines += ["", f"## {group}", "", *links]
    return "\n".join(lines) + "\n"


def _reports_list() -> str:
    links = [
        f"- [{_title(ROOT / place)}]({place.removeprefix('reports/')})" for place in _reports()
    ]
    return "\n".join(["", *links]) + "\n"


def _title(path: Path) -> str:
    name = path.parent.name if path.stem == "report" else path.stem
    heading = path.read_text().partition("\n")[0].removeprefix("# ")
    return f"{name}: {heading}"


def _commands() -> str:
    """The command line's own help, verb by verb."""
    from typer.testing import CliRunner

    from a2q_hls.cli.app import app

    runner = CliRunner(env={"TERMINAL_WIDTH": "96", "NO_COLOR": "1", "TERM": "dumb"})
    lines = []
    for command in app.registered_commands:
        verb = command.name or getattr(command.callback, "__name__", "")
        shown = runner.invoke(app, [verb, "--help"], prog_name="a2q-hls").output
        text = "\n".join(line.rstrip() for line in shown.strip().splitlines())
        lines += ["", f"## {verb}", "", "```text", text, "```"]
    return "\n".join(lines) + "\n"


LISTS: Mapping[str, Callable[[], str]] = {
    "api/index.md": _api_list,
    "reports/index.md": _reports_list,
    "guides/commands.md": _commands,
}
