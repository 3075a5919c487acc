"""Shares of drawn values are held to samples whose shares are known."""

from __future__ import annotations

import numpy as np
import pytest

from finscribe_assets.fitting.value_shares import SharePool
from finscribe_assets.measuring.measured_documents import MeasuredDocument
from finscribe_assets.measuring.page_measures import PAGE_MEASURES


def _documents(count: int, share: float, seed: int) -> list[MeasuredDocument]:
    """Return documents of which a share has the value ``skew``, which moves two measures, and noise elsewhere."""
    random = np.random.default_rng(seed)
    documents = []
    for index in range(count):
        has = float(random.random() < share)
        values = dict(zip(PAGE_MEASURES, random.normal(10, 1, len(PAGE_MEASURES)).tolist(), strict=True))
        values["skew"] += 6 * has
        values["angle"] += 2 * has
        documents.append(MeasuredDocument(str(index), values, {"skew": has, "stamp": float(random.random() < 0.3)}))
    return documents


def _classes(documents: list[MeasuredDocument], knob: str) -> list[str]:
    return ["on" if document.drawn[knob] else "off" for document in documents]


@pytest.mark.parametrize("share", [0.05, 0.4, 0.9])
def test_the_share_of_a_visible_value_is_found_whatever_the_pool_has(share: float) -> None:
    pool, real = _documents(200, 0.2, 1), _documents(150, share, 2)
    found = SharePool(pool, real).share(_classes(pool, "skew"), {"on": 0.1, "off": 0.9}, 2.0)
    true_share = np.mean([document.drawn["skew"] for document in real])
    assert found.is_visible
    assert found.shares["on"] == pytest.approx(true_share, abs=0.08)
    assert sum(found.shares.values()) == pytest.approx(1, abs=1e-3)


def test_an_invisible_value_keeps_the_share_at_the_start() -> None:
    pool, real = _documents(200, 0.2, 1), _documents(60, 0.4, 2)
    found = SharePool(pool, real).share(_classes(pool, "stamp"), {"on": 0.05, "off": 0.95}, 2.0)
    assert not found.is_visible
    assert found.shares == {"on": 0.05, "off": 0.95}


def test_a_strong_prior_keeps_the_start() -> None:
    pool, real = _documents(200, 0.2, 1), _documents(5, 1.0, 2)
    found = SharePool(pool, real).share(_classes(pool, "skew"), {"on": 0.1, "off": 0.9}, 1000.0)
    assert found.shares["on"] < 0.13


def test_too_few_examples_in_the_pool_decide_nothing() -> None:
    pool, real = _documents(200, 0.0, 1), _documents(20, 1.0, 2)
    found = SharePool(pool, real).share(_classes(pool, "skew"), {"on": 0.1, "off": 0.9}, 2.0)
    assert not found.is_visible
