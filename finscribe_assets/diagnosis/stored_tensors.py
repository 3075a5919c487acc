"""What safetensors files say of their tensors, read from their headers and bytes without torch."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from finscribe_assets.errors import UserError

MAX_HEADER_BYTES = 100_000_000  # of the format's own reader
_CHUNK = 8_000_000  # numbers that are looked at at a time
# Of each floating-point type: how its bits are read, and the exponent's bits, which infinity and NaN have all set.
_EXPONENTS: dict[str, tuple[Any, int]] = {
    "BF16": (np.uint16, 0x7F80),
    "F16": (np.uint16, 0x7C00),
    "F32": (np.uint32, 0x7F800000),
}


@dataclass(frozen=True)
class StoredTensor:
    """A tensor of a safetensors file: https://huggingface.co/docs/safetensors."""

    file: Path
    name: str
    type: str  # such as BF16
    shape: tuple[int, ...]
    start: int  # of its bytes in the file
    end: int

    def bits(self) -> Iterator[np.ndarray]:
        """Yield the numbers as unsigned integers, some at a time; nothing for types without a floating point."""
        if self.type not in _EXPONENTS or self.end <= self.start:
            return
        kind = np.dtype(_EXPONENTS[self.type][0]).newbyteorder("<")
        numbers = np.memmap(self.file, kind, "r", self.start, (self.end - self.start) // kind.itemsize)
        for first in range(0, len(numbers), _CHUNK):
            yield np.asarray(numbers[first : first + _CHUNK])

    def is_finite(self) -> bool:
        """Return whether no number is infinite or NaN."""
        exponent = _EXPONENTS.get(self.type, (None, 0))[1]
        return not any(bool(((bits & exponent) == exponent).any()) for bits in self.bits())

    def is_zero(self) -> bool:
        """Return whether all numbers are zero, or minus zero."""
        return not any(bool((bits << 1).any()) for bits in self.bits())


def read_header(file: Path) -> dict[str, StoredTensor]:
    """Return the tensors of a safetensors file by name.

    Raises:
        UserError: the file is not a whole safetensors file.
    """
    size = file.stat().st_size
    with file.open("rb") as stream:
        prefix = stream.read(8)
        length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else MAX_HEADER_BYTES + 1
        if length > min(MAX_HEADER_BYTES, size):
            raise UserError(f"{file}: no safetensors file, or cut off in its header")
        try:
            header = json.loads(stream.read(length))
            tensors = {
                name: StoredTensor(
                    file,
                    name,
                    str(entry["dtype"]),
                    tuple(entry["shape"]),
                    *(8 + length + int(offset) for offset in entry["data_offsets"]),
                )
                for name, entry in header.items()
                if name != "__metadata__"
            }
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(f"{file}: its header is not that of a safetensors file ({error})") from error
    end = max((tensor.end for tensor in tensors.values()), default=8 + length)
    if end > size:
        raise UserError(f"{file}: {size:,} bytes, but its tensors need {end:,}")
    return tensors
