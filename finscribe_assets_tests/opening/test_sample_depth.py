"""Deep images look as the 8-bit image that they were made from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from finscribe_assets.opening.sample_depth import to_eight_bits

GREY = np.arange(256, dtype=np.float64)


@pytest.mark.parametrize(
    "deep",
    [
        (GREY * 257).astype(np.uint16),  # all 16 bits
        np.rint(GREY * 4095 / 255).astype(np.uint16),  # 12 bits in 16, as scanners write them
        np.rint(GREY * 1023 / 255).astype(np.int32),
        GREY.astype(np.uint16),  # 8 bits in 16
        (GREY * 16843009).astype(np.uint32),
        (GREY / 255).astype(np.float32),
        GREY.astype(np.float32),
        GREY,
        (GREY * 257).astype(np.float32),
        (GREY - 128).astype(np.float32),
    ],
)
def test_samples_of_any_depth_give_the_image_they_were_made_from(deep):
    assert np.abs(to_eight_bits(deep).astype(int) - GREY).max() <= 1


def test_samples_that_are_not_finite_are_white():
    assert to_eight_bits(np.array([np.nan, np.inf, -np.inf, 0, 0.5], np.float32)).tolist() == [255, 255, 255, 0, 128]
    assert to_eight_bits(np.full(3, np.nan)).tolist() == [255] * 3


@given(arrays(st.sampled_from([np.uint16, np.int32, np.uint32, np.float32, np.float64]), st.integers(1, 20)))
def test_lighter_samples_never_become_darker(samples):
    finite = samples[np.isfinite(samples)]
    levels = to_eight_bits(samples)[np.isfinite(samples)]
    assert (np.diff(levels[np.argsort(finite, kind="stable")].astype(int)) >= 0).all()
