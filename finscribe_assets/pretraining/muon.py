"""Muon in single precision: an optimiser whose steps are orthogonalised momentum matrices.

The method is that of Jordan et al., 2024, https://kellerjordan.github.io/posts/muon/. `torch.optim.Muon` computes in
bfloat16, which CPUs without bfloat16 instructions emulate at a twentieth of the speed. Here matrices of one shape are
orthogonalised together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

_QUINTIC = (3.4445, -4.7750, 2.0315)  # coefficients whose repeated polynomial brings singular values near 1
_ADAMW_RMS = 0.2  # root mean square of AdamW's usual step, to which a step is scaled


def orthogonalise(matrices: Tensor, steps: int) -> Tensor:
    """Bring the singular values of matrices (count, rows, columns) near 1, by Newton–Schulz iteration."""
    a, b, c = _QUINTIC
    tall = matrices.shape[-2] > matrices.shape[-1]
    result = matrices.mT if tall else matrices
    result = result / (result.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = result @ result.mT  # (count, rows, rows)
        result = a * result + (b * gram + c * gram @ gram) @ result
    return result.mT if tall else result


class Muon(torch.optim.Optimizer):
    """Orthogonalised Nesterov momentum with decoupled weight decay, for matrices only."""

    def __init__(
        self,
        params: Iterable[nn.Parameter],
        lr: float,
        weight_decay: float = 0.0,
        momentum: float = 0.95,
        ns_steps: int = 4,
    ) -> None:
        """Prepare to train matrices.

        Args:
            params: the matrices.
            lr: learning rate, on AdamW's scale.
            weight_decay: decoupled, as in AdamW.
            momentum: of the gradient's moving average.
            ns_steps: Newton–Schulz iterations of each step.

        Raises:
            ValueError: a parameter is not a matrix.
        """
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum, "ns_steps": ns_steps})
        if any(weight.ndim != 2 for group in self.param_groups for weight in group["params"]):
            raise ValueError("Muon is for matrices; give other parameters to another optimiser")

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Take one step; ``closure`` is not called."""
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[nn.Parameter]] = {}
            for weight in group["params"]:
                if weight.grad is not None:
                    by_shape.setdefault(weight.shape, []).append(weight)
            for shape, weights in by_shape.items():
                momenta = torch.stack([self._momentum(weight, group) for weight in weights])  # (count, rows, columns)
                directions = orthogonalise(momenta, group["ns_steps"])
                rate = group["lr"] * _ADAMW_RMS * max(shape) ** 0.5
                for weight, direction in zip(weights, directions, strict=True):
                    weight.mul_(1 - group["lr"] * group["weight_decay"]).add_(direction, alpha=-rate)

    def _momentum(self, weight: nn.Parameter, group: dict[str, Any]) -> Tensor:
        """Update a weight's momentum, and return it with Nesterov's look ahead."""
        gradient = weight.grad
        assert gradient is not None  # noqa: S101, for the type checker: step has chosen weights that have one
        state = self.state[weight]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(weight)
        average: Tensor = state["momentum_buffer"].lerp_(gradient, 1 - group["momentum"])
        return gradient.lerp(average, group["momentum"])
