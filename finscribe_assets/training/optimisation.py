"""The optimiser of an adapter's training and its learning rate."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from finscribe_assets.training.adapter_config import AdapterConfig


def build_optimiser(parameters: Iterable[nn.Parameter], config: AdapterConfig) -> torch.optim.AdamW:
    """Build AdamW (Loshchilov and Hutter 2017, arXiv:1711.05101) for the trained parameters."""
    groups = decay_groups(parameters, config.weight_decay)
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=config.adam_betas)


def decay_groups(parameters: Iterable[nn.Parameter], weight_decay: float) -> list[dict[str, Any]]:
    """Return the parameter groups of AdamW: matrices decay, biases and norms do not."""
    matrices: list[nn.Parameter] = []
    vectors: list[nn.Parameter] = []
    for parameter in parameters:
        (matrices if parameter.ndim > 1 else vectors).append(parameter)
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]


def learning_rate(config: AdapterConfig, step: int, steps: int) -> float:
    """Return a step's learning rate: a linear warm-up, then half a cosine.

    The cosine is that of Loshchilov and Hutter 2016, arXiv:1608.03983.

    Args:
        config: states the highest and the final rate, and the warm-up's share of the steps.
        step: from 1 to ``steps``.
        steps: of the whole training.
    """
    warmup = math.ceil(config.warmup * steps)
    done = step - 1
    if done < warmup:
        return config.learning_rate * step / warmup
    progress = (done - warmup) / max(1, steps - warmup)
    return config.final_learning_rate + (config.learning_rate - config.final_learning_rate) * (
        0.5 + 0.5 * math.cos(math.pi * progress)
    )
