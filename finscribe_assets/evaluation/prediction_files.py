"""Read the two inputs of evaluation and mining, predictions and ground truth, from JSON Lines files.

A bad line of predictions is counted and reported, and is never an error: a model wrote the file. A ground truth that
cannot be read is an error, since there is nothing to measure against.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

from finscribe_assets.documents.elements import value_type_of
from finscribe_assets.documents.labelled_fields import LabelledFields, labelled_fields
from finscribe_assets.documents.locales import is_known_locale
from finscribe_assets.documents.schema import flatten
from finscribe_assets.errors import UserError
from finscribe_assets.evaluation.inferred_fields import InferredFields, infer_fields
from finscribe_assets.evaluation.response_parsing import ParsedResponse
from finscribe_assets.files import AnyPath
from finscribe_assets.instructions.location_tokens import LOCATION_START
from finscribe_assets.rendering.located_boxes import LocatedBoxes, boxes_from_json

MAX_LOCATIONS = 20  # of each problem that are remembered


@dataclass(frozen=True)
class Truth:
    """The ground truth of one document.

    Attributes:
        id: of the document.
        document: its values, in the schema of documents or a part of it.
        printed: paths of the fields that a reader is expected to predict, since the page prints or determines them;
            None for the currency and all fields but implied ones, such as ``document_type``.
        boxes: where values are printed, by field path; empty if that is unknown.
        labelled: the fields that this ground truth states; other ones are neither expected nor judged. None if it
            states all of them.
        attributes: what else is known of the document, by dimension, such as ``source``; reports make slices by it.
        written: the document as its file has it, if it has keys that the schema lacks.
        inferred: the fields under which such values are compared, where no schema mapping says it.
    """

    id: str
    document: dict[str, Any]
    printed: frozenset[str] | None = None
    boxes: LocatedBoxes = field(default_factory=dict)
    labelled: LabelledFields | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    written: dict[str, Any] | None = None
    inferred: InferredFields | None = None

    @property
    def locale(self) -> str | None:
        """Return the locale whose formats the page uses; None if the document does not state it."""
        locale = self.document.get("locale")
        return locale if isinstance(locale, str) else None

    @property
    def currency(self) -> str | None:
        """Return the ISO 4217 code of the document's currency; None if the document does not state it."""
        currency = self.document.get("currency_code")
        return currency if isinstance(currency, str) else None


@dataclass(frozen=True)
class Prediction:
    """A model's prediction for one document.

    Attributes:
        id: of the document.
        response: the model's raw text, or a JSON value.
        confidence: from 0 to 1, by field path; empty if the model gave none.
        boxes: where the model found the values, by field path; empty if it gave none.
        parsed: the response in the schema of documents, where it was read by a user's schema mapping; else None.
    """

    id: str
    response: Any
    confidence: dict[str, float] = field(default_factory=dict)
    boxes: LocatedBoxes = field(default_factory=dict)
    parsed: ParsedResponse | None = None

    @property
    def may_have_boxes(self) -> bool:
        """Tell whether there are boxes, or location tokens in the raw text of the response."""
        return bool(self.boxes) or LOCATION_START in str(self.response)


@dataclass
class InputProblems:
    """Problems of a predictions file: how often each occurred, and where it occurred first."""

    counts: Counter[str] = field(default_factory=Counter)
    locations: dict[str, list[str]] = field(default_factory=dict)

    def add(self, problem: str, location: str) -> None:
        """Count a problem; remember its location if it is among the first."""
        self.counts[problem] += 1
        locations = self.locations.setdefault(problem, [])
        if len(locations) < MAX_LOCATIONS:
            locations.append(location)


def read_truths(path: AnyPath, labelled: Collection[str] = (), known: Collection[str] = ()) -> dict[str, Truth]:
    """Read ground truth by document id.

    Args:
        path: a file with one ``{"id": …, "document": {…}, "printed": […], "labelled": […], "boxes": {…},
            "attributes": {…}}`` a line, of which ``id`` and ``document`` are required.
        labelled: fields and groups that are labelled in documents that do not list theirs; all if empty.
        known: names besides those of the schema that may be labelled, such as a user's keys.

    Raises:
        UserError: with file and line, if a line is not a ground truth, an id is repeated, or the file is empty.
    """
    truths: dict[str, Truth] = {}
    for where, record in _truth_records(path):
        truth = _truth(record, where, known)
        if truth.id in truths:
            raise UserError(f"{where}: the id {truth.id!r} is used by an earlier line; ids must be unique")
        truths[truth.id] = truth
    if not truths:
        raise UserError(f"{path}: the file holds no ground truth; write one document a line")
    if not labelled:
        return truths
    default = labelled_fields(
        labelled, {*known, *(name for truth in truths.values() for name in flatten(truth.document))}
    )
    return {
        name: replace(truth, labelled=default) if truth.labelled is None else truth for name, truth in truths.items()
    }


def with_inferred_fields(truths: Mapping[str, Truth]) -> dict[str, Truth]:
    """Return ground truth whose values outside of the schema have fields by which they are compared and counted."""
    inferred = infer_fields(truth.document for truth in truths.values() if truth.written is not None)
    if inferred is None:
        return dict(truths)
    return {
        name: replace(
            truth,
            inferred=inferred,
            printed=None if truth.printed is None else frozenset(map(inferred.path, truth.printed)),
            labelled=None if truth.labelled is None else inferred.labelled(truth.labelled),
            boxes=inferred.rename(truth.boxes),
        )
        for name, truth in truths.items()
    }


def _truth_records(path: AnyPath) -> Iterator[tuple[str, Any]]:
    """Yield the JSON value of each line with its position."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: byte {error.start} is not UTF-8; save the file in UTF-8") from error
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            where = f"{path}: line {number}"
            try:
                yield where, json.loads(line)
            except (ValueError, RecursionError) as error:
                raise UserError(f"{where}: not JSON ({error}); write one document a line") from error


def _truth(record: Any, where: str, known: Collection[str]) -> Truth:
    if (
        not isinstance(record, dict)
        or not isinstance(record.get("id"), str)
        or not isinstance(record.get("document"), dict)
    ):
        raise UserError(f'{where}: write it as {{"id": "…", "document": {{…}}}}')
    document = record["document"]
    locale = document.get("locale")
    if isinstance(locale, str) and not is_known_locale(locale):
        raise UserError(f"{where}: document.locale {locale!r} is unknown; give one such as de_AT, or leave it out")
    boxes, are_boxes = boxes_from_json(record.get("boxes"))
    if not are_boxes:
        raise UserError(f'{where}: write boxes as {{"field.path": [{{"page": 1, "box": [x0, y0, x1, y1]}}]}}')
    printed, labelled = (_paths(record, name, where) for name in ("printed", "labelled"))
    try:
        labels = None if labelled is None else labelled_fields(labelled, {*known, *flatten(document)})
    except UserError as error:
        raise UserError(f"{where}: {error}") from error
    attributes = record.get("attributes") or {}
    if not isinstance(attributes, dict) or not all(isinstance(value, str) for value in attributes.values()):
        raise UserError(f'{where}: write attributes as texts by name, such as {{"source": "scanner 2"}}')
    return Truth(
        record["id"],
        document,
        None if printed is None else frozenset(printed),
        boxes,
        labels,
        attributes,
        document if any(value_type_of(path) is None for path in flatten(document)) else None,
    )


def _paths(record: Mapping[str, Any], name: str, where: str) -> list[str] | None:
    """Return a list of field paths; None if the record has none."""
    paths = record.get(name)
    if paths is not None and (not isinstance(paths, list) or not all(isinstance(path, str) for path in paths)):
        raise UserError(f'{where}: write {name} as a list of field paths, such as ["totals.amount_due"]')
    return paths


def read_predictions(
    path: AnyPath, truths: dict[str, Truth], without_truth: Collection[str] = ()
) -> tuple[dict[str, Prediction], InputProblems]:
    """Read predictions by document id.

    Args:
        path: a file with one ``{"id": …, "response": …, "confidence": {…}, "boxes": {…}}`` a line, as
            `inference.prediction_record` defines it; ``confidence`` and ``boxes`` may be left out. A record whose id is
            unknown belongs to the document with the name of its ``file``, with or without the suffix.
        truths: the documents to predict.
        without_truth: ids of documents that are known to have no ground truth; they are counted apart.

    Returns:
        The first prediction of each document, and the problems of the file. Ids without a truth, and truths without a
        prediction, are problems too.
    """
    problems = InputProblems()
    predictions: dict[str, Prediction] = {}
    # Not every byte that a model's harness writes is UTF-8; other bytes are replaced, and differ from every true value.
    for number, line in enumerate(path.read_bytes().decode("utf-8-sig", errors="replace").split("\n"), 1):
        if not line.strip():
            continue
        where = f"line {number}"
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            problems.add("not_json", where)
            continue
        if not isinstance(record, dict) or not isinstance(record.get("id"), str | int) or "response" not in record:
            problems.add("file_not_read" if _is_error(record) else "not_a_prediction", where)
            continue
        name = _known_name(record, truths)
        if name not in truths:
            problems.add("without_truth" if name in without_truth else "unknown_id", f"{where}: {name[:80]}")
        elif name in predictions:
            problems.add("duplicate_id", f"{where}: {name[:80]}")
        else:
            boxes, are_boxes = boxes_from_json(record.get("boxes"))
            if not are_boxes:
                problems.add("bad_boxes", where)
            predictions[name] = Prediction(name, record["response"], _confidence(record, problems, where), boxes)
    for name in truths:
        if name not in predictions:
            problems.add("missing_prediction", name)
    return predictions, problems


def prediction_lines(path: AnyPath) -> dict[str, str]:
    """Return the lines of a predictions file by the id of their document, in the file's order; the first of each id."""
    lines: dict[str, str] = {}
    for line in path.read_bytes().decode("utf-8-sig", errors="replace").split("\n"):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict) and "response" in record and isinstance(record.get("id"), str | int):
            lines.setdefault(str(record["id"]), line.strip())
    return lines


def _is_error(record: Any) -> bool:
    """Tell whether a record of `extract` states why a file was not read."""
    return isinstance(record, dict) and "error" in record


def _known_name(record: Mapping[str, Any], truths: Mapping[str, Truth]) -> str:
    """Return the id of a record's document: its own, or one that is the name of its file."""
    name, file = str(record["id"]), record.get("file")
    if name in truths or not isinstance(file, str):
        return name
    path = PurePath(file)
    return next((other for other in (path.name, path.stem) if other in truths), name)


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
