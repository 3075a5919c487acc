"""Estimate the probability that a value is right: that its characters were read, and that it is the field's value.

What belongs here: a logistic regression on the reader's confidence and on the evidence for the assignment. Its
coefficients (`assignment_coefficients`) were fitted on synthetic documents, which `benchmarks/assignment_confidence.py`
draws; that script also measures it on others. The OCR engine has coefficients of its own, since its confidences are
means over characters, and it reads other lines right than a model does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from finscribe_assets.documents.elements import ValueType, value_type_of
from finscribe_assets.files import sha256_of
from finscribe_assets.inference.assignment_coefficients import COEFFICIENTS, OCR_COEFFICIENTS
from finscribe_assets.inference.assignment_evidence import AssignmentEvidence, Source, SumAgreement
from finscribe_assets.inference.value_forms import value_in

COEFFICIENTS_ID = sha256_of(
    " ".join(f"{name}={value}" for of in (COEFFICIENTS, OCR_COEFFICIENTS) for name, value in sorted(of.items()))
)[:12]
"""Identifies the coefficients, so that predictions with other confidences are not kept."""

OCR_IDENTITY = "ocr:"  # beginning of the identity of `ocr_reader.OcrReader`
_MAX_LOG_ODDS = 7.0  # of a reader's confidence; beyond it, rounding decides
_MAX_COUNT = 3  # of repeats and rivals
_MAX_DISTANCE = 30.0  # line heights
_BASE_SOURCE, _BASE_TYPE = Source.SAME_LINE, ValueType.IDENTIFIER  # which the intercept stands for
_TABLE_SOURCES = (Source.TABLE, Source.BLOCK_TABLE)


def assignment_features(
    path: str, text: str, confidence: float, evidence: AssignmentEvidence, sums: SumAgreement
) -> dict[str, float]:
    """Return the features of one assigned value; features that are 0 may be left out.

    Args:
        path: the field.
        text: the value as read.
        confidence: of the reader in the value's characters, the geometric mean over tokens.
        evidence: for the assignment.
        sums: the amounts of the document that calculation rules confirm or contradict.
    """
    sure = min(max(confidence, 1e-6), 1 - 1e-6)
    type_ = value_type_of(path)
    has_form = value_in(path, text) is not None
    features = {
        "intercept": 1.0,
        "reading": min(math.log(sure / (1 - sure)), _MAX_LOG_ODDS),
        "characters": len(text) * math.log(sure),  # log-probability that all characters are right
        "similarity": evidence.similarity - 1.0,
        "meanings": math.log(evidence.meanings),
        "repeats": float(min(evidence.repeats, _MAX_COUNT)),
        "rivals": float(min(evidence.rivals, _MAX_COUNT)),
        "distance": math.log1p(min(evidence.distance, _MAX_DISTANCE)),
        "confirmed": float(path in sums.confirmed),
        "contradicted": float(path in sums.contradicted and path not in sums.confirmed),
        "both": float(path in sums.contradicted and path in sums.confirmed),
        "other_form": float(not has_form),
    }
    if evidence.source is not _BASE_SOURCE:
        features[f"source.{evidence.source}"] = 1.0
    if type_ is not None and type_ is not _BASE_TYPE:
        features[f"type.{type_}"] = 1.0
        if evidence.source in _TABLE_SOURCES:
            features[f"table.{type_}"] = 1.0
    return features


def coefficients_of(reader: str) -> Mapping[str, float]:
    """Return the coefficients for what a reader has read.

    Args:
        reader: Its `ImageReader.identity`; empty if it is unknown.
    """
    return OCR_COEFFICIENTS if reader.startswith(OCR_IDENTITY) else COEFFICIENTS


def assignment_confidence(features: Mapping[str, float], coefficients: Mapping[str, float] = COEFFICIENTS) -> float:
    """Return the probability that a value with these features is right."""
    score = math.fsum(coefficients.get(name, 0.0) * value for name, value in features.items())
    return 1 / (1 + math.exp(-score))
