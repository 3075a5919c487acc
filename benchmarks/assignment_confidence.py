"""Fit and test the confidence of values that were assigned to fields, on documents of `identification_documents.py`.

`fit` writes the coefficients of `inference.assignment_confidence`: a logistic regression, whose penalty is chosen by
cross-validation over documents. It also prints the comparison below on these documents, each with coefficients of the
folds without it. `test` compares, on documents of other seeds or styles, three confidences of the same values:

- `reading`: the reader's confidence in the characters, which was the confidence of a value until the assignment counted
- `reading, calibrated`: the best that can be made of it alone: a logistic curve of it, fitted on the same documents
- `assignment`: the product's

by the expected calibration error, Brier score, AUC and the area under the risk-coverage curve of values, and by the
order of the review queue. Intervals are of a bootstrap over documents; differences are paired.

    python benchmarks/assignment_confidence.py fit identification
    python benchmarks/assignment_confidence.py test identification --set test
    python benchmarks/assignment_confidence.py test identification --set foreign

What the OCR engine reads has coefficients of its own. Documents that it has read are few, so `fit-ocr` fits an offset
and a slope for the log odds of the base's coefficients (with a penalty chosen by cross-validation); `test` compares
both.

    python benchmarks/assignment_confidence.py fit-ocr identification
    python benchmarks/assignment_confidence.py test identification --set test-ocr
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from identification_documents import ReadDocument, load
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from finscribe_assets.evaluation.field_comparison import FieldStatus, compare_fields
from finscribe_assets.evaluation.prediction_files import Prediction
from finscribe_assets.inference import assignment_coefficients
from finscribe_assets.inference.assignment_coefficients import COEFFICIENTS, OCR_COEFFICIENTS
from finscribe_assets.inference.assignment_confidence import assignment_confidence, assignment_features
from finscribe_assets.inference.assignment_evidence import check_sums
from finscribe_assets.instructions.responses import unflatten
from finscribe_assets.review.correction_queue import order_for_review

PENALTIES = (0.03, 0.1, 0.3, 1.0, 3.0)  # inverse strengths
FOLDS = 5
BINS = 10
DRAWS = 400
KEY_FIELDS = ("document_number", "issue_date", "seller.name", "totals.total_with_vat", "totals.amount_due")
FIRST = 0.2  # share of the queue
DISTANCE_PENALTIES = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, float("inf"))  # from the coefficients of the base
TABLES = ("COEFFICIENTS", "OCR_COEFFICIENTS")
CURVE = ("intercept", "reading")  # features of the calibrated confidence of the reader
Features = dict[str, float]
Confidence = Callable[[int, Features], float]
"""The confidence in a value of a document, by the value's features."""


@dataclass(frozen=True)
class Value:
    """An assigned value of a document: its features, the reader's confidence, and whether it is right."""

    document: int
    path: str
    reading: float
    features: Features
    right: bool


@dataclass(frozen=True)
class Judged:
    """The judged values of documents, and what was predicted of each document."""

    values: Sequence[Value]
    predictions: Sequence[Prediction]
    features: Sequence[Mapping[str, Features]]  # by document and path of the prediction


def judge(documents: Sequence[ReadDocument]) -> Judged:
    values, predictions, all_features = [], [], []
    for number, document in enumerate(documents):
        fields = document.text.fields().fields
        sums = check_sums({path: field.text for path, field in fields.items()})
        features = {
            path: assignment_features(path, field.text, field.reading_confidence, field.evidence, sums)
            for path, field in fields.items()
        }
        response = unflatten({path: field.text for path, field in fields.items()})
        paths = list(fields)
        # Outcomes have the truth's indices of rows; the position of a path takes the place of its confidence.
        positions = {path: float(position) for position, path in enumerate(paths)}
        for outcome in compare_fields(document.truth, response, positions).outcomes:
            if outcome.confidence is not None and outcome.status is not FieldStatus.MISSING:
                path = paths[int(outcome.confidence)]
                right = outcome.status is FieldStatus.CORRECT
                values.append(Value(number, path, fields[path].reading_confidence, features[path], right))
        reading = {path: field.reading_confidence for path, field in fields.items()}
        predictions.append(Prediction(document.id, response, reading))
        all_features.append(features)
    return Judged(values, predictions, all_features)


def matrix(values: Sequence[Value], names: Sequence[str]) -> np.ndarray:
    return np.array([[value.features.get(name, 0.0) for name in names] for value in values])


def fit_logistic(x: np.ndarray, right: np.ndarray, inverse_penalty: float) -> np.ndarray:
    model = LogisticRegression(C=inverse_penalty, fit_intercept=False, max_iter=2_000, solver="lbfgs")
    return model.fit(x, right).coef_[0]


def log_loss(x: np.ndarray, right: np.ndarray, coefficients: np.ndarray) -> float:
    return float(np.logaddexp(0, -np.where(right, 1, -1) * (x @ coefficients)).mean())


def fit_coefficients(values: Sequence[Value], names: Sequence[str]) -> tuple[dict[str, float], float]:
    """Return the coefficients and the penalty whose loss on held-out documents is least."""
    x, right = matrix(values, names), np.array([value.right for value in values])
    groups = [value.document for value in values]
    losses = []
    for penalty in PENALTIES:
        folds = GroupKFold(FOLDS).split(x, right, groups)
        losses.append(
            np.mean([log_loss(x[test], right[test], fit_logistic(x[fit], right[fit], penalty)) for fit, test in folds])
        )
    best = PENALTIES[int(np.argmin(losses))]
    found = fit_logistic(x, right, best)
    return {name: round(float(value), 4) for name, value in zip(names, found, strict=True)}, best


def fit_from(x: np.ndarray, right: np.ndarray, start: np.ndarray, penalty: float) -> np.ndarray:
    """Return coefficients of least loss and ``penalty`` times half their squared distance from ``start``."""
    if not np.isfinite(penalty):
        return start
    sign = np.where(right, 1.0, -1.0)

    def loss(found: np.ndarray) -> tuple[float, np.ndarray]:
        margin, away = sign * (x @ found), found - start
        slope = -(sign / (1 + np.exp(np.clip(margin, -500, 500)))) @ x
        return float(np.logaddexp(0, -margin).sum() + penalty * (away @ away) / 2), slope + penalty * away

    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B").x)


def fit_ocr_coefficients(values: Sequence[Value]) -> tuple[dict[str, float], float]:
    """Return the base's coefficients on another line of log odds, and the penalty of its distance.

    Documents that the engine has read are too few for a coefficient for each feature: from the base's, all of them
    gained nothing on other folds.
    """
    names, right = list(COEFFICIENTS), np.array([value.right for value in values])
    log_odds = matrix(values, names) @ np.array([COEFFICIENTS[name] for name in names])
    x, start, groups = np.c_[log_odds, np.ones(len(right))], np.array([1.0, 0.0]), [value.document for value in values]
    losses = []
    for penalty in DISTANCE_PENALTIES:
        folds = GroupKFold(FOLDS).split(x, right, groups)
        found = [log_loss(x[test], right[test], fit_from(x[fit], right[fit], start, penalty)) for fit, test in folds]
        losses.append(np.mean(found))
        print(f"penalty {penalty}: log loss {losses[-1]:.4f} on other documents")
    best = DISTANCE_PENALTIES[int(np.argmin(losses))]
    slope, offset = fit_from(x, right, start, best).tolist()
    print(f"log odds: {slope:.3f} times those of the base, plus {offset:.3f}")
    fitted = {name: slope * value for name, value in COEFFICIENTS.items()}
    fitted["intercept"] += offset
    return {name: round(value, 4) for name, value in fitted.items()}, best


def write_coefficients(**tables: Mapping[str, float]) -> None:
    """Write both tables of coefficients, of which one may be left as it is."""
    tables = {name: tables.get(name, getattr(assignment_coefficients, name)) for name in TABLES}
    texts = [
        f"{name}: Mapping[str, float] = {{\n"
        + "".join(f'    "{feature}": {value},\n' for feature, value in table.items())
        + "}\n"
        for name, table in tables.items()
    ]
    Path(assignment_coefficients.__file__).write_text(
        f'"""{assignment_coefficients.__doc__}"""\n\n'
        "from __future__ import annotations\n\nfrom collections.abc import Mapping\n\n" + "\n".join(texts)
    )


def calibration_error(sure: np.ndarray, right: np.ndarray) -> float:
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, sure, BINS) - np.bincount(bins, right, BINS)
    return float(np.abs(gaps).sum() / len(sure))


def auc(sure: np.ndarray, right: np.ndarray) -> float:
    _, ranks, counts = np.unique(sure, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts - 1) / 2
    of_right = middle[ranks][right]
    count, others = right.sum(), (~right).sum()
    return float((of_right.sum() - count * (count + 1) / 2) / (count * others))


def risk_area(sure: np.ndarray, right: np.ndarray) -> float:
    """Return the mean, over all numbers of values that are taken unseen, surest first, of the share that is wrong."""
    order = np.argsort(-sure, kind="stable")
    return float((np.cumsum(~right[order]) / np.arange(1, len(sure) + 1)).mean())


METRICS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "calibration error": calibration_error,
    "Brier score": lambda sure, right: float(((sure - right) ** 2).mean()),
    "AUC": auc,
    "area under risk-coverage": risk_area,
}


def bootstrap(documents: np.ndarray, count: int, seed: int = 0) -> list[np.ndarray]:
    """Return the values of documents drawn with replacement, for each draw."""
    members = [np.flatnonzero(documents == document) for document in range(count)]
    random = np.random.default_rng(seed)
    return [np.concatenate([members[one] for one in random.integers(0, count, count)]) for _ in range(DRAWS)]


def with_interval(estimate: float, draws: Sequence[float]) -> str:
    low, high = np.quantile(draws, [0.025, 0.975])
    return f"{estimate:.3f} [{low:.3f}, {high:.3f}]"


def compare(confidences: Mapping[str, np.ndarray], right: np.ndarray, documents: np.ndarray, count: int) -> None:
    draws = bootstrap(documents, count)
    rival = next(iter(confidences))
    print(f"\n| metric | {' | '.join(confidences)} | difference of the last to `{rival}` |")
    print("|---" * (len(confidences) + 2) + "|")
    for name, metric in METRICS.items():
        drawn = {way: [metric(sure[at], right[at]) for at in draws] for way, sure in confidences.items()}
        cells = [with_interval(metric(sure, right), drawn[way]) for way, sure in confidences.items()]
        last = list(confidences)[-1]
        difference = metric(confidences[last], right) - metric(confidences[rival], right)
        change = with_interval(difference, np.subtract(drawn[last], drawn[rival]).tolist())
        print(f"| {name} | {' | '.join(cells)} | {change} |")


def reliability(confidences: Mapping[str, np.ndarray], right: np.ndarray) -> None:
    print("\n| confidence | " + " | ".join(f"{way}: values, mean, right" for way in confidences) + " |")
    print("|---" * (len(confidences) + 1) + "|")
    for low in range(BINS):
        cells = []
        for sure in confidences.values():
            inside = np.minimum((sure * BINS).astype(int), BINS - 1) == low
            cells.append(
                f"{inside.sum()}, {sure[inside].mean():.3f}, {right[inside].mean():.3f}" if inside.any() else "–"
            )
        print(f"| {low / BINS:.1f}–{(low + 1) / BINS:.1f} | {' | '.join(cells)} |")


def queue_shares(judged: Judged, confidence: Callable[[int, str], float]) -> dict[str, np.ndarray]:
    """Return for each document, in the queue's order, its wrong values, and whether a key field is wrong."""
    predictions = {
        prediction.id: replace(prediction, confidence={path: confidence(at, path) for path in judged.features[at]})
        for at, prediction in enumerate(judged.predictions)
    }
    index = {prediction.id: at for at, prediction in enumerate(judged.predictions)}
    order = [index[document.id] for document in order_for_review(predictions)]
    wrong, key = np.zeros(len(index)), np.zeros(len(index), dtype=bool)
    for value in judged.values:
        if not value.right:
            wrong[value.document] += 1
            key[value.document] |= value.path in KEY_FIELDS
    return {"order": np.array(order), "wrong": wrong, "key": key}


def queue_table(judged: Judged, ways: Mapping[str, Callable[[int, str], float]]) -> None:
    """Print which share of the wrong values and of the documents with a wrong key field the queue begins with."""
    rows: dict[str, list[str]] = {}
    first_draws = None
    for way, confidence in ways.items():
        found = queue_shares(judged, confidence)
        position = np.empty(len(found["order"]), dtype=int)
        position[found["order"]] = np.arange(len(position))

        def shares(at: np.ndarray, found=found, position=position) -> tuple[float, float, float]:
            ordered = at[np.argsort(position[at], kind="stable")]
            first = ordered[: max(1, round(FIRST * len(at)))]
            wrong, key = found["wrong"], found["key"]
            return (
                wrong[first].sum() / wrong[at].sum(),
                key[first].mean(),
                float((np.cumsum(key[ordered[::-1]]) / np.arange(1, len(at) + 1)).mean()),
            )

        every = np.arange(len(position))
        random = np.random.default_rng(0)  # the same documents for each way
        draws = np.array([shares(random.integers(0, len(every), len(every))) for _ in range(DRAWS)])
        found_shares = shares(every)
        rows[way] = [with_interval(value, draws[:, at]) for at, value in enumerate(found_shares)]
        if first_draws is None:
            first_draws, first_shares = draws, found_shares
        else:
            differences = np.subtract(found_shares, first_shares)
            of_draws = draws - first_draws
            rows[f"{way}, difference"] = [
                with_interval(value, of_draws[:, at]) for at, value in enumerate(differences.tolist())
            ]
        base = found["key"].mean()
    print(f"\nFirst {FIRST:.0%} of the queue (at random: {FIRST:.0%} of the wrong values, {base:.3f} of documents)")
    print("\n| queue by | wrong values in it | its documents with a wrong key field | risk-coverage area, documents |")
    print("|---|---|---|---|")
    for way, cells in rows.items():
        print(f"| {way} | {' | '.join(cells)} |")


def probability(features: Features, coefficients: Mapping[str, float]) -> float:
    return float(1 / (1 + np.exp(-sum(value * features.get(name, 0.0) for name, value in coefficients.items()))))


def held_out(judged: Judged, names: Sequence[str], penalty: float) -> Confidence:
    """Return the confidence by coefficients that were fitted on the documents of other folds."""
    x, right = matrix(judged.values, names), np.array([value.right for value in judged.values])
    groups = np.array([value.document for value in judged.values])
    by_document: dict[int, dict[str, float]] = {}
    for fit, test in GroupKFold(FOLDS).split(x, right, groups):
        found = dict(zip(names, fit_logistic(x[fit], right[fit], penalty).tolist(), strict=True))
        by_document |= dict.fromkeys(groups[test].tolist(), found)
    some = next(iter(by_document.values()))  # of a document without a judged value
    return lambda document, features: probability(features, by_document.get(document, some))


def report(judged: Judged, by_curve: Confidence, by_assignment: Confidence) -> None:
    right = np.array([value.right for value in judged.values])
    documents = np.array([value.document for value in judged.values])
    confidences = {
        "reading": np.array([value.reading for value in judged.values]),
        "reading, calibrated": np.array([by_curve(value.document, value.features) for value in judged.values]),
        "assignment": np.array([by_assignment(value.document, value.features) for value in judged.values]),
    }
    print(f"{len(judged.predictions)} documents, {len(right)} values, {right.mean():.3f} right")
    compare(confidences, right, documents, len(judged.predictions))
    reliability(confidences, right)
    queue_table(
        judged,
        {
            "reading": lambda at, path: judged.predictions[at].confidence[path],
            "reading, calibrated": lambda at, path: by_curve(at, judged.features[at][path]),
            "assignment": lambda at, path: by_assignment(at, judged.features[at][path]),
        },
    )


def report_ocr(judged: Judged) -> None:
    """Compare the engine's confidence with that of the base's coefficients and of its own."""
    right = np.array([value.right for value in judged.values])
    documents = np.array([value.document for value in judged.values])
    ways = {"fitted for the base": COEFFICIENTS, "fitted for the engine": OCR_COEFFICIENTS}
    confidences = {"engine": np.array([value.reading for value in judged.values])} | {
        way: np.array([assignment_confidence(value.features, table) for value in judged.values])
        for way, table in ways.items()
    }
    print(f"{len(judged.predictions)} documents, {len(right)} values, {right.mean():.3f} right")
    compare(confidences, right, documents, len(judged.predictions))
    compare({way: confidences[way] for way in ways}, right, documents, len(judged.predictions))
    reliability(confidences, right)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=["fit", "fit-ocr", "test"])
    parser.add_argument("folder", type=Path, nargs="+", help="of `identification_documents.py`")
    parser.add_argument("--set", default="test")
    arguments = parser.parse_args()
    folders: list[Path] = arguments.folder
    curve_file = folders[0] / "curve.json"

    def judged_set(name: str) -> Judged:
        return judge([document for folder in folders for document in load(folder, name)])

    if arguments.task == "fit-ocr":
        coefficients, penalty = fit_ocr_coefficients(judged_set("fit-ocr").values)
        write_coefficients(OCR_COEFFICIENTS=coefficients)
        print(f"penalty {penalty}\n{json.dumps(coefficients, indent=1)}")
        return
    if arguments.task == "fit":
        fitted = judged_set("fit")
        names = list(dict.fromkeys(name for value in fitted.values for name in value.features))
        coefficients, penalty = fit_coefficients(fitted.values, names)
        write_coefficients(COEFFICIENTS=coefficients)
        curve_file.write_text(json.dumps(fit_coefficients(fitted.values, CURVE)[0]))
        print(f"C = {penalty}\n{json.dumps(coefficients, indent=1)}")
        report(fitted, *(held_out(fitted, of, penalty) for of in (CURVE, names)))
        return
    judged = judged_set(arguments.set)
    if arguments.set.endswith("-ocr"):
        report_ocr(judged)
        return
    curve = json.loads(curve_file.read_text())
    report(
        judged,
        lambda _, features: probability(features, curve),
        lambda _, features: assignment_confidence(features),
    )


if __name__ == "__main__":
    main()
