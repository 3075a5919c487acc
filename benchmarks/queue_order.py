"""Does the review queue find more errors for each corrected document than other orders?

The documents are those of `identification_documents.py`, read at detected lines. An *error* is a change that a person
makes: a wrong value, a missing one, or one that the page does not have. Orders:

- `queue`: the product's (`review.correction_queue`), from the predictions alone
- `confidence`: the document with the least mean confidence first, which a tool that shows scores gives
- `doubt`: the sum of what confidence leaves open, without rules, forms and missing fields
- `random`: the expectation over all orders

    python benchmarks/queue_order.py identification --sets test foreign test-ocr

Printed are the share of all errors, of those among predicted values (`wrong`), and of the documents that have a wrong
key field, among the first documents. Intervals are of a bootstrap over documents (95 %), those of differences paired.
`all` is the mean over the sets.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from identification_documents import ReadDocument, load

from finscribe_assets.evaluation.field_comparison import FieldStatus, compare_fields
from finscribe_assets.evaluation.prediction_files import Prediction
from finscribe_assets.instructions.responses import unflatten
from finscribe_assets.review.correction_queue import order_for_review

SHARES = (0.1, 0.2, 0.5)
DRAWS = 2_000
KEY_FIELDS = ("document_number", "issue_date", "seller.name", "totals.total_with_vat", "totals.amount_due")
RIVALS = ("confidence", "doubt", "random")


@dataclass(frozen=True)
class Mail:
    """Documents of a set: the errors of each, whether a key field is wrong, and its urgency in each order."""

    errors: np.ndarray
    wrong: np.ndarray  # errors among predicted values, without missing ones
    key: np.ndarray
    urgency: dict[str, np.ndarray]


def mail_of(documents: Sequence[ReadDocument]) -> Mail:
    predictions, errors, wrong_values, key, doubt, mean = {}, [], [], [], [], []
    for document in documents:
        fields = document.text.fields().fields
        response = unflatten({path: field.text for path, field in fields.items()})
        confidence = {path: field.confidence for path, field in fields.items() if field.confidence is not None}
        outcomes = compare_fields(document.truth, response, {}).outcomes
        wrong = [outcome.path for outcome in outcomes if outcome.status is not FieldStatus.CORRECT]
        errors.append(len(wrong))
        wrong_values.append(sum(outcome.status in (FieldStatus.WRONG, FieldStatus.EXTRA) for outcome in outcomes))
        key.append(any(path in KEY_FIELDS for path in wrong))
        doubt.append(sum(1 - sure for sure in confidence.values()))
        mean.append(1 - np.mean(list(confidence.values())) if confidence else 1.0)
        predictions[document.id] = Prediction(document.id, response, confidence)
    gains = {queued.id: queued.gain for queued in order_for_review(predictions)}
    return Mail(
        np.array(errors, float),
        np.array(wrong_values, float),
        np.array(key, float),
        {
            "queue": np.array([gains[document.id] for document in documents]),
            "confidence": np.array(mean),
            "doubt": np.array(doubt),
        },
    )


def found(worth: np.ndarray, urgency: np.ndarray | None, share: float) -> float:
    """Return the share of all ``worth`` in the first documents; a part of a document counts in part."""
    total, count = worth.sum(), share * len(worth)
    if urgency is None or not total:
        return share
    ordered = worth[np.argsort(-urgency, kind="stable")]
    whole = int(count)
    return float((ordered[:whole].sum() + (count - whole) * ordered[min(whole, len(ordered) - 1)]) / total)


def shares(mails: Sequence[Mail], draws: Sequence[np.ndarray], order: str, share: float, worth: str) -> float:
    values = []
    for mail, at in zip(mails, draws, strict=True):
        urgency = mail.urgency.get(order)
        values.append(found(getattr(mail, worth)[at], None if urgency is None else urgency[at], share))
    return float(np.mean(values))


def table(name: str, mails: Sequence[Mail]) -> None:
    random = np.random.default_rng(0)
    every = [np.arange(len(mail.errors)) for mail in mails]
    draws = [[random.integers(0, len(at), len(at)) for at in every] for _ in range(DRAWS)]
    counts = f"{sum(map(len, every))} documents, {sum(mail.errors.sum() for mail in mails):.0f} errors"
    print(f"\n{name}: {counts}, {sum(mail.key.sum() for mail in mails):.0f} documents with a wrong key field\n")
    print("| first | of | queue | " + " | ".join(f"{rival}, queue less it" for rival in RIVALS) + " |")
    print("|---" * (3 + len(RIVALS)) + "|")
    for worth in ("errors", "wrong", "key"):
        for share in SHARES:
            mine = shares(mails, every, "queue", share, worth)
            drawn = np.array([shares(mails, at, "queue", share, worth) for at in draws])
            cells = [f"{mine:.3f} [{np.quantile(drawn, 0.025):.3f}, {np.quantile(drawn, 0.975):.3f}]"]
            for rival in RIVALS:
                theirs = shares(mails, every, rival, share, worth)
                less = drawn - [shares(mails, at, rival, share, worth) for at in draws]
                low, high = np.quantile(less, [0.025, 0.975])
                cells.append(f"{theirs:.3f}, {mine - theirs:+.3f} [{low:+.3f}, {high:+.3f}]")
            print(f"| {share:.0%} | {worth} | {' | '.join(cells)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="+", help="of `identification_documents.py`")
    parser.add_argument("--sets", nargs="+", default=["test", "foreign"])
    given = parser.parse_args()
    mails = {
        name: mail_of([document for folder in given.folder for document in load(folder, name)]) for name in given.sets
    }
    for name, mail in mails.items():
        table(name, [mail])
    if len(mails) > 1:
        table("all", list(mails.values()))


if __name__ == "__main__":
    main()
