import numpy as np
import pytest

from finscribe_assets.evaluation.calibration import low_confidence_fields, measure_calibration, reliability_diagram
from finscribe_assets.evaluation.document_scoring import score
from finscribe_assets.evaluation.field_comparison import FieldOutcome, FieldStatus
from finscribe_assets.evaluation.prediction_files import Prediction, Truth


def outcomes(confidence, right):
    return [
        FieldOutcome(
            "issue_date", "date", FieldStatus.CORRECT if ok else FieldStatus.WRONG, "x", "x", float(confidence)
        )
        for confidence, ok in zip(confidence, right, strict=True)
    ]


def test_a_calibrated_reader_is_within_chance_and_an_overconfident_one_is_not():
    draw = np.random.default_rng(5)
    confidence = draw.beta(5, 1, 800)
    honest = measure_calibration(outcomes(confidence, draw.random(800) < confidence))
    assert honest.error <= honest.highest_if_calibrated
    boastful = measure_calibration(outcomes(np.full(200, 0.99), draw.random(200) < 0.6))
    assert boastful.error == pytest.approx(0.39, abs=0.08)
    assert boastful.error > 5 * boastful.highest_if_calibrated
    assert measure_calibration([]) is None


def test_the_error_is_the_one_of_the_definition():
    found = measure_calibration(outcomes([0.95, 0.95, 0.15, 1.0], [True, False, False, True]))
    # Bins: 0.1 (n 1: |0.15 - 0|), 0.9 (n 3: |0.9667 - 0.6667|); weighted by n.
    assert found.error == pytest.approx((0.15 * 1 + 0.3 * 3) / 4, abs=1e-3)
    assert [(one.from_, one.n) for one in found.bins] == [(0.1, 1), (0.9, 3)]
    assert found.n == 4


def test_small_numbers_show_an_error_by_chance():
    """Ten fields at 90 % cannot be calibrated visibly: the null expectation says how far off is nothing."""
    draw = np.random.default_rng(1)
    few, many = (measure_calibration(outcomes(np.full(n, 0.9), draw.random(n) < 0.9)) for n in (10, 5000))
    assert few.expected_if_calibrated > 0.05 > 0.01 > many.expected_if_calibrated


def test_low_confidence_fields_come_lowest_first():
    truth = Truth("d", {"document_number": "A", "due_date": "2024-01-05", "issue_date": "2024-01-01"})
    predicted = {"document_number": "B", "due_date": "2024-01-05", "issue_date": "2024-01-01"}
    confidence = {"document_number": 0.3, "due_date": 0.2, "issue_date": 0.9}
    found = low_confidence_fields(score({"d": truth}, {"d": Prediction("d", predicted, confidence)}))
    assert [(one.path, one.correct) for one in found] == [("due_date", True), ("document_number", False)]


def test_the_diagram_is_a_picture():
    assert reliability_diagram(measure_calibration(outcomes([0.5, 0.9], [True, False]))).startswith(b"\x89PNG")
