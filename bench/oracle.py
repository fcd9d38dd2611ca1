# SPDX-License-Identifier: Apache-2.0
"""Images a second through the exact interpreter: the small CNN at 28 x 28, in one run."""

from __future__ import annotations

import time
from importlib.metadata import version

import torch
from shared import REPORTS, machine, markdown

from a2q_hls import Recipe, export, input_codes, interpret, quantize
from a2q_hls.zoo.convolutional import SmallCNN

IMAGES = 1000
RECIPES = {
    "W4A4, A2Q+ P = 12": "{method: a2q+, accumulator: 12}",
    "W8A8": "{method: ptq, weights: {bits: 8}, activations: {bits: 8}}",
}


def main() -> None:
    """Measure both and write the table."""
    torch.manual_seed(0)
    x, rows = torch.rand(IMAGES, 1, 28, 28), []
    for name, text in RECIPES.items():
        model = quantize(SmallCNN(), Recipe.parse(text), x[:64]).eval()
        network, codes = export(model, x[:32]), input_codes(model, x)
        start = time.perf_counter()
        interpret.run(network, codes)
        oracle = time.perf_counter() - start
        start = time.perf_counter()
        with torch.no_grad():
            model(x)
        ratio = oracle / (time.perf_counter() - start)
        rows.append((name, f"{IMAGES / oracle:.0f}", f"{ratio:.1f}"))
        print(" | ".join(rows[-1]))
    tools = f"{machine()}, torch {version('torch')}, numpy {version('numpy')}"
    head = ("small CNN", "images a second", "time to torch in evaluation")
    markdown(REPORTS / "oracle.md", "The oracle on 28 x 28 images", tools, head, rows)


if __name__ == "__main__":
    main()
