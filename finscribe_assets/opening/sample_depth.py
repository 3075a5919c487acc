"""Turn images of more than eight bits for each sample, whole numbers or floating-point ones, into eight bits."""

from __future__ import annotations

import numpy as np

_LEAST_BITS = 8


def to_eight_bits(samples: np.ndarray) -> np.ndarray:
    """Return samples as uint8, black as 0 and white as 255.

    What value is white is not stored in most files: scanners put 12 bits into 16, and programs write 8-bit values as
    floating-point ones. It is taken from the data: the top of the smallest number of bits (at least 8) that hold the
    largest sample; 1 for floating-point samples that are at most 1. Samples below 0 have no such scale, so they are
    stretched from the least to the largest. Samples that are not finite become white.
    """
    if samples.dtype == np.uint8:
        return samples
    values: np.ndarray = samples.astype(np.float64 if samples.dtype.itemsize > 4 else np.float32)
    finite = np.isfinite(values)
    if not finite.any():
        return np.full(samples.shape, 255, np.uint8)
    least, largest = float(samples[finite].min()), float(samples[finite].max())  # 32 bits are rounded in values
    is_fraction = np.issubdtype(samples.dtype, np.floating) and largest <= 1
    if least < 0:
        black, white = least, largest if largest > least else least + abs(least)
    elif is_fraction:
        black, white = 0.0, 1.0
    else:
        black, white = 0.0, float(2 ** max(_LEAST_BITS, int(np.ceil(largest)).bit_length()) - 1)
    scaled = (values - black) * (255 / (white - black))
    return np.where(finite, np.rint(scaled).clip(0, 255), 255).astype(np.uint8)
