"""Choose torch's device, and set torch's process-wide state for a block of code.

What belongs here: context managers that restore what they change. Library code never changes torch's global state
without one of them: the process may be somebody else's, such as a Dagster daemon.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch

from finscribe_assets.errors import UserError


def torch_device(name: str) -> torch.device:
    """Return the device that a setting names; ``auto`` is the GPU if torch finds one.

    Raises:
        UserError: the setting is ``cuda``, but torch finds no GPU.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("device: cuda is asked for, but torch finds no GPU; set it to auto or cpu")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def gpu_name(name: str = "auto") -> str | None:
    """Return a name for the GPU that a setting leads to, for its lock; None if it leads to the processor.

    The name is the GPU's UUID: CUDA_VISIBLE_DEVICES numbers GPUs differently from process to process.

    Raises:
        UserError: the setting is ``cuda``, but torch finds no GPU.
    """
    if torch_device(name).type == "cpu":
        return None
    return f"gpu-{torch.cuda.get_device_properties(torch.cuda.current_device()).uuid}"


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Compute with this number of CPU threads; results may differ in their last bits between numbers of threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def matmul_precision(precision: Literal["highest", "high", "medium"]) -> Iterator[None]:
    """Multiply float32 matrices with this precision; ``high`` is TF32 on GPUs that have it."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch's random generators inside the block, and give them back their state after it."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
