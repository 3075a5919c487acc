"""Copy tensors into files and back into parameters."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def storable(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return copies that safetensors can store: on the CPU, contiguous, sharing no memory."""
    return {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in tensors.items()}


def set_weights(parameters: dict[str, nn.Parameter], weights: dict[str, Tensor]) -> None:
    """Copy weights into the parameters of the same names."""
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(weights[name])
