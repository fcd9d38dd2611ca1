# SPDX-License-Identifier: Apache-2.0
"""The float model beside the quantized one: its value at every node, computed once and in order."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Collection
from typing import Any

import torch
from torch import Tensor, fx


class Reference:
    """Runs a float graph on calibration data as far as it is asked; forgets what nobody needs.

    Args:
        graph: the float model, which is copied.
        x: inputs (B, C, ...).
        wanted: names of the nodes whose values will be asked for.
    """

    def __init__(self, graph: fx.GraphModule, x: Tensor, wanted: Collection[str]) -> None:
        self.module = copy.deepcopy(graph).eval()
        self._runner = fx.Interpreter(self.module, garbage_collect_values=False)
        self._runner.args_iter = iter([x])
        self._left = iter(self.module.graph.nodes)
        self._wanted = set(wanted)
        self._uses = Counter(
            part.name for node in self.module.graph.nodes for part in node.all_input_nodes
        )

    @torch.no_grad()
    def value(self, name: str) -> Tensor:
        """Value of the node of that name, (B, C, ...).

        Raises:
            KeyError: the graph has no such node.
        """
        env: dict[fx.Node, Any] = self._runner.env
        found = next((value for node, value in env.items() if node.name == name), None)
        while found is None:
            node = next(self._left, None)
            if node is None:
                raise KeyError(name)
            env[node] = self._runner.run_node(node)
            found = env[node] if node.name == name else None
            self._forget(node)
        return found  # type: ignore[no-any-return]

    def _forget(self, node: fx.Node) -> None:
        for part in node.all_input_nodes:
            self._uses[part.name] -= 1
            if not self._uses[part.name] and part.name not in self._wanted:
                self._runner.env.pop(part, None)
