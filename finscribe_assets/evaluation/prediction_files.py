"""The two files that evaluation and mining take: predictions and ground truth, as JSON lines.

A bad line of predictions is a counted and reported problem, never an error: the file is a model's. A ground truth that
cannot be read is an error, as there is nothing to measure against.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from finscribe_assets.documents.locales import is_known_locale
from finscribe_assets.errors import UserError
from finscribe_assets.files import AnyPath


@dataclass(frozen=True)
class Truth:
    """A document's truth. ``printed`` restricts what is asked to what its page shows; None asks for all of it."""

    id: str
    document: dict[str, Any]
    printed: frozenset[str] | None = None

    @property
    def locale(self) -> str | None:
        """Return the locale whose formats the page uses, when it is told."""
        locale = self.document.get("locale")
        return locale if isinstance(locale, str) else None

    @property
    def currency(self) -> str | None:
        """Return the code of the document's currency, when it is told."""
        currency = self.document.get("currency_code")
        return currency if isinstance(currency, str) else None


@dataclass(frozen=True)
class Prediction:
    """What a model answered for a document: a JSON object or raw text, and its confidence by field path."""

    id: str
    response: Any
    confidence: dict[str, float] = field(default_factory=dict)


@dataclass
class InputProblems:
    """What was wrong with the predictions, counted by kind, with the first places of each."""

    counts: Counter[str] = field(default_factory=Counter)
    places: dict[str, list[str]] = field(default_factory=dict)

    def add(self, kind: str, place: str) -> None:
        """Count a problem and remember where it was."""
        self.counts[kind] += 1
        where = self.places.setdefault(kind, [])
        if len(where) < 20:
            where.append(place)


def read_truths(path: AnyPath) -> dict[str, Truth]:
    """Read ground truth by id.

    Raises:
        UserError: naming file and line, for a line that is not a truth, an id that stands twice, or an empty file.
    """
    truths: dict[str, Truth] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        where = f"{path}: line {number}"
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{where}: not JSON ({error})") from error
        if (
            not isinstance(record, dict)
            or not isinstance(record.get("id"), str)
            or not isinstance(record.get("document"), dict)
        ):
            raise UserError(f'{where}: not of the form {{"id": "…", "document": {{…}}}}')
        if record["id"] in truths:
            raise UserError(f"{where}: the id {record['id']!r} stands twice")
        locale = record["document"].get("locale")
        if isinstance(locale, str) and not is_known_locale(locale):
            raise UserError(f"{where}: document.locale {locale!r} is unknown; give one such as de_AT, or leave it out")
        printed = record.get("printed")
        truths[record["id"]] = Truth(record["id"], record["document"], None if printed is None else frozenset(printed))
    if not truths:
        raise UserError(f"{path}: no ground truth in it")
    return truths


def read_predictions(path: AnyPath, truths: dict[str, Truth]) -> tuple[dict[str, Prediction], InputProblems]:
    """Read predictions by id: the first of an id counts.

    Ids without a truth, and truths without a prediction, are problems.
    """
    problems = InputProblems()
    predictions: dict[str, Prediction] = {}
    # Not every byte a model's harness writes is UTF-8; what is not is replaced, and differs from every right answer.
    for number, line in enumerate(path.read_bytes().decode("utf-8", errors="replace").split("\n"), 1):
        if not line.strip():
            continue
        where = f"line {number}"
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            problems.add("not_json", where)
            continue
        if not isinstance(record, dict) or not isinstance(record.get("id"), str | int) or "response" not in record:
            problems.add("not_a_prediction", where)
            continue
        name = str(record["id"])
        if name not in truths:
            problems.add("unknown_id", f"{where}: {name[:80]}")
        elif name in predictions:
            problems.add("duplicate_id", f"{where}: {name[:80]}")
        else:
            predictions[name] = Prediction(name, record["response"], _confidence(record, problems, where))
    for name in truths:
        if name not in predictions:
            problems.add("missing_prediction", name)
    return predictions, problems


def _confidence(record: dict[str, Any], problems: InputProblems, where: str) -> dict[str, float]:
    given = record.get("confidence") or {}
    if not isinstance(given, dict):
        problems.add("bad_confidence", where)
        return {}
    kept = {
        str(path): float(value)
        for path, value in given.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and 0 <= value <= 1
    }
    if len(kept) < len(given):
        problems.add("bad_confidence", where)
    return kept
