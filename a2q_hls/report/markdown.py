# SPDX-License-Identifier: Apache-2.0
"""A comparison as a Markdown page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from a2q_hls.report import cells
from a2q_hls.report.compare import Comparison


def markdown(
    comparison: Comparison,
    title: str,
    *,
    plots: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
    others: Sequence[cells.Table] = (),
) -> str:
    """The page.

    Args:
        plots: caption by path of an image beside the page.
        notes: what the reader must know besides the notes that every comparison has.
        others: tables to stand after those of the comparison.
    """
    engines = comparison.engines
    sentences = [text for engine in engines if (text := cells.headline(comparison, engine))]
    parts = [
        f"# {title}",
        *sentences,
        grid(cells.trainings(comparison)),
        *(grid(cells.resources(comparison, engine)) for engine in engines),
        *map(grid, others),
        bullets((*cells.notes(comparison), *notes)),
        *(f"![{caption}]({path})" for path, caption in (plots or {}).items()),
        *_section(cells.accumulators(comparison)),
        *_commands(comparison),
        *_section(cells.sources(comparison)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def grid(table: cells.Table) -> str:
    """A table in Markdown, numbers to the right."""
    rule = ["---", *("---:" for _ in table.headings[1:])]
    lines = (table.headings, rule, *table.rows)
    body = "\n".join("| " + " | ".join(map(_escape, line)) + " |" for line in lines)
    return f"**{table.title}**\n\n{body}"


def _escape(text: str) -> str:
    return text.replace("|", "\\|")


def bullets(texts: Sequence[str]) -> str:
    """A list."""
    return "\n".join(f"- {text}" for text in texts)


def _section(table: cells.Table) -> list[str]:
    return [grid(table)] if table.rows else []


def _commands(comparison: Comparison) -> list[str]:
    tools = dict.fromkeys(tool for run in comparison.runs for tool in run.tools)
    commands = dict.fromkeys(line for run in comparison.runs for line in run.commands)
    listed = [f"**Tools**\n\n{bullets(tuple(tools))}"] if tools else []
    lines = "\n".join(f"    {line}" for line in commands)
    return [*listed, f"**Commands**\n\n{lines}"] if commands else listed
