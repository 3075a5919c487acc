"""Coefficients of `assignment_confidence`, written by `benchmarks/assignment_confidence.py`; do not edit by hand."""

from __future__ import annotations

from collections.abc import Mapping

COEFFICIENTS: Mapping[str, float] = {
    "intercept": 1.4334,
    "reading": 0.149,
    "characters": 2.4926,
    "similarity": 1.0652,
    "meanings": -2.5594,
    "repeats": 0.1533,
    "rivals": -0.2711,
    "distance": -0.224,
    "confirmed": 2.7428,
    "contradicted": 0.1952,
    "both": -1.82,
    "other_form": -0.849,
    "type.text": -0.6257,
    "source.right": 0.9617,
    "type.amount": -0.086,
    "type.date": 1.4375,
    "source.position": -1.1734,
    "source.table": 0.6823,
    "table.text": -0.3006,
    "table.amount": -1.5437,
    "source.tax_line": 0.5579,
    "type.time": 0.4177,
    "source.below": 0.0675,
    "source.caption": 0.9372,
    "table.date": -0.636,
}
