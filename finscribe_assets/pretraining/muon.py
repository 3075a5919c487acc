"""Muon in single precision: momentum whose every matrix is made orthogonal before it is taken as a step.

Jordan et al., 2024, https://kellerjordan.github.io/posts/muon/. `torch.optim.Muon` does the same in bfloat16, which
processors without instructions for it emulate, at a twentieth of the speed. Matrices of one shape go together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from finscribe_assets.errors import UserError

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the quintic whose repetition brings singular values near 1
RMS_OF_ADAMW = 0.2  # root mean square of AdamW's usual step, which the step's is scaled to


def orthogonal(matrices: Tensor, steps: int) -> Tensor:
    """Return matrices (n × rows × columns) with their singular values near 1, by Newton–Schulz iteration."""
    a, b, c = COEFFICIENTS
    tall = matrices.shape[-2] > matrices.shape[-1]
    found = matrices.mT if tall else matrices
    found = found / (found.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = found @ found.mT
        found = a * found + (b * gram + c * gram @ gram) @ found
    return found.mT if tall else found


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, made orthogonal, with decoupled weight decay; for matrices alone."""

    def __init__(
        self,
        params: Iterable[nn.Parameter],
        lr: float,
        weight_decay: float = 0.0,
        momentum: float = 0.95,
        ns_steps: int = 4,
    ) -> None:
        """Take matrices to train.

        Raises:
            UserError: a parameter is no matrix.
        """
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum, "ns_steps": ns_steps})
        if any(weight.ndim != 2 for group in self.param_groups for weight in group["params"]):
            raise UserError("Muon is for matrices; give other weights to another optimiser")

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Take one step; ``closure`` is not called."""
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[nn.Parameter]] = {}
            for weight in group["params"]:
                if weight.grad is not None:
                    by_shape.setdefault(weight.shape, []).append(weight)
            for shape, weights in by_shape.items():
                directions = orthogonal(
                    torch.stack([self._momentum(weight, group) for weight in weights]), group["ns_steps"]
                )
                rate = group["lr"] * RMS_OF_ADAMW * max(shape) ** 0.5
                for weight, direction in zip(weights, directions, strict=True):
                    weight.mul_(1 - group["lr"] * group["weight_decay"]).add_(direction, alpha=-rate)

    def _momentum(self, weight: nn.Parameter, group: dict[str, Any]) -> Tensor:
        gradient = weight.grad
        assert gradient is not None  # noqa: S101, for the type checker: step has chosen those that have one
        state = self.state[weight]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(weight)
        held: Tensor = state["momentum_buffer"].lerp_(gradient, 1 - group["momentum"])
        return gradient.lerp(held, group["momentum"])
