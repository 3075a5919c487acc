"""Wilson's score interval of a rate, for numbers and arrays alike.

scipy has it for whole numbers of trials, one rate at a time (`scipy.stats.binomtest`); here trials are effective ones,
and there are thousands of rates.
"""

from __future__ import annotations

import numpy as np

TWO_SIDED_Z = 1.959963984540054  # 95 %


def wilson(
    rate: np.ndarray | float, trials: np.ndarray | float, z: float = TWO_SIDED_Z
) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds of Wilson's score interval (Wilson 1927); [0, 1] where there are no trials.

    Args:
        rate: Observed rates, in [0, 1].
        trials: Number of trials that each was observed in; need not be whole.
        z: Quantile of the standard normal distribution.
    """
    inverse = z * z / np.maximum(trials, 1e-9)
    centre = (rate + inverse / 2) / (1 + inverse)
    spread = np.sqrt(np.maximum(0.0, rate * (1 - rate) * inverse + inverse**2 / 4)) / (1 + inverse)
    return np.maximum(0.0, centre - spread), np.minimum(1.0, centre + spread)
