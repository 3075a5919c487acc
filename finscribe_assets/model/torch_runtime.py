"""The torch device and the number of threads that a block of code computes with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from finscribe_assets.errors import UserError


def device_of(name: str) -> torch.device:
    """Return the device of a setting: auto is the GPU where there is one.

    Raises:
        UserError: a GPU is asked for where there is none.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("device: cuda is asked for, but torch sees no GPU; take auto or cpu")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Compute on so many processor threads inside the block; results may differ in the last bits between counts."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
