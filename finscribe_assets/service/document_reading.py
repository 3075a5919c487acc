"""The answer about a document: its values with boxes and confidence, what contradicts, and whether a person must look.

What belongs here: the models of answers, which the OpenAPI description is made from, and how an answer follows from a
record of `finscribe extract`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.documents.calculation_rules import amounts_of_leaves, check_calculations, round_to
from finscribe_assets.documents.locales import MINOR_UNITS, minor_unit
from finscribe_assets.evaluation.normalise import ValueContext, canonical_value
from finscribe_assets.evaluation.prediction_files import Prediction
from finscribe_assets.evaluation.user_keys import prediction_in_schema
from finscribe_assets.evaluation.user_records import record_in_user_keys
from finscribe_assets.rendering.located_boxes import boxes_from_json, boxes_to_json
from finscribe_assets.review.correction_queue import predicted_leaves, queue_document
from finscribe_assets.schema_mapping.mapping import SchemaMapping

_STATEMENT = "bank_statement"  # has neither a seller nor an amount due
_USUAL_CURRENCY = "EUR"  # whose two decimals amounts are rounded to if the document states no known currency


class AnswerModel(BaseModel):
    """What all parts of an answer have in common."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PlacedBox(AnswerModel):
    """A box on a page."""

    page: int = Field(description="number of the page, from 1")
    box: tuple[float, float, float, float] = Field(
        description="x0, y0, x1, y1 in thousandths of the page's width and height, from its top left corner"
    )


class ReadValue(AnswerModel):
    """A value that was read."""

    path: str = Field(description="field of the schema, such as totals.amount_due or lines[0].net_amount")
    text: str = Field(description="the value as printed")
    confidence: float | None = Field(description="in [0, 1]; null if the reader states none for this value")
    boxes: list[PlacedBox] = Field(description="where it is printed, a box for each line; empty if that is unknown")
    doubts: list[str] = Field(description="evidence against the value, such as low confidence; empty if there is none")


class BrokenSum(AnswerModel):
    """An amount that does not follow from the other amounts as a calculation rule wants it."""

    rule: str = Field(description="code of the rule, such as BR-CO-15 of EN 16931")
    path: str = Field(description="field of the amount")
    read: str = Field(description="the amount that was read, as a plain decimal number")
    expected: str = Field(description="the amount that follows from the others")


class PageSize(AnswerModel):
    """A page as it was read, and its picture where pictures are asked for."""

    page: int = Field(description="number of the page, from 1")
    width: int = Field(description="in pixels")
    height: int = Field(description="in pixels")
    image: str | None = Field(default=None, description="data URL of a picture of the page, scaled down")


class ReadBy(AnswerModel):
    """The reader that read a document."""

    base: str = Field(description="name of the base model, or the name that a server lists its model by")
    base_content: str | None = Field(
        default=None,
        description="SHA-256 of the base's files; null for a model on a server, which does not tell what it has loaded",
    )
    adapter: str | None = Field(description="SHA-256 of the adapter's weights; null for the bare base")
    batch: str | None = Field(description="batch that the promoted adapter was trained after; null if none is promoted")


class ServedModelAnswer(AnswerModel):
    """The reader in use, and what is known of its weights."""

    read_by: ReadBy
    reads: str = Field(description="lines: the printed lines that a text detector finds; pages: whole pages")
    known_by: str = Field(
        description="content: the hashes are those of the files that this process has loaded; name: a server has the "
        "model, and its name is all that is known, as other weights may be served under the same name"
    )
    server_root: str | None = Field(description="folder or repository that the server says it has loaded")
    schema_name: str | None = Field(description="mapping whose keys records have; null for those of the schema")


class StageSeconds(AnswerModel):
    """How long a document took."""

    waiting: float = Field(description="until a worker was free")
    opening: float = Field(description="decoding the file, turning its pages upright")
    reading: float = Field(description="finding and reading lines, identifying fields")


class DocumentAnswer(AnswerModel):
    """What was read of a document."""

    id: str = Field(description="id of the document: the same for the same file, as `finscribe extract` gives it")
    file: str = Field(description="name of the uploaded file")
    pages: list[PageSize]
    values: list[ReadValue] = Field(description="the values that were read, as a flat list")
    needs_review: bool = Field(description="whether a person should look at the document")
    review_reasons: list[str] = Field(description="why, most important first")
    broken_arithmetic: list[BrokenSum] = Field(description="amounts that contradict the other amounts")
    read_by: ReadBy
    seconds: StageSeconds
    record: dict[str, Any] = Field(
        description="the record of `finscribe extract`: response, confidence, boxes, sources, lines, not_assigned …, "
        "in your own keys if the service was started with --schema"
    )


class ErrorAnswer(AnswerModel):
    """Why there is no reading."""

    detail: str = Field(description="what is wrong, and what to do")
    request_id: str = Field(description="identifies the request in the service's log")


@dataclass(frozen=True)
class Assessment:
    """What was found out about a record, beyond its values."""

    values: list[ReadValue]
    broken: list[BrokenSum]
    reasons: list[str]


def record_in_schema(record: Mapping[str, Any], mapping: SchemaMapping | None) -> Mapping[str, Any]:
    """Return the record of a model that was asked in a user's keys, with its values under the schema's fields.

    Args:
        record: Of `Extractor.read_content`. One with values that labels identified is in the schema's fields already.
        mapping: The user's keys; None if the model was asked for the schema's fields.
    """
    if mapping is None or not isinstance(record.get("response"), str):
        return record
    boxes, _ = boxes_from_json(record.get("boxes"))
    text = Prediction(record["id"], record["response"], dict(record.get("confidence") or {}), boxes)
    prediction = prediction_in_schema(text, mapping)
    if prediction.parsed is None:
        return record
    located = {"boxes": boxes_to_json(prediction.boxes)} if prediction.boxes else {}
    return {**record, "response": prediction.parsed.document, "confidence": prediction.confidence, **located}


def assess(record: Mapping[str, Any]) -> Assessment:
    """List the values of a record with the evidence against them.

    The evidence is that of the queue of documents to correct (`review.correction_queue`): low confidence, amounts that
    contradict others, values that are not of their type, and usual fields that were not found.

    Args:
        record: Of `Extractor.read_content`, in the schema's fields.
    """
    if "response" not in record:
        return Assessment([], [], ["an image of a single line, which has no fields"])
    boxes, _ = boxes_from_json(record.get("boxes"))
    prediction = Prediction(record["id"], record["response"], dict(record.get("confidence") or {}), boxes)
    queued = queue_document(prediction, {})
    leaves = predicted_leaves(prediction)
    doubts = {doubtful.path: list(doubtful.because) for doubtful in queued.doubtful}
    reasons = list(queued.reasons) if queued.doubtful or not leaves else []
    if leaves.get("document_type") == _STATEMENT:  # the usual fields are those of invoices and receipts
        reasons = [reason for reason in reasons if not reason.startswith("not found:")]
    if record.get("truncated"):
        reasons.insert(0, "the model's text was cut at the token limit")
    values = [
        ReadValue(
            path=path,
            text=str(value),
            confidence=prediction.confidence.get(path),
            boxes=[PlacedBox(page=located.page, box=tuple(located.box)) for located in boxes.get(path, ())],
            doubts=doubts.get(path, []),
        )
        for path, value in leaves.items()
    ]
    return Assessment(values, broken_sums(leaves), reasons)


def broken_sums(leaves: Mapping[str, Any]) -> list[BrokenSum]:
    """Return the amounts that differ by more than half of the smallest coin from what a calculation rule gives.

    Args:
        leaves: Values as printed, by field path.
    """
    context = ValueContext.of(leaves).with_decimal_mark_of(leaves)
    forms = {path: canonical_value(path, value, context) for path, value in leaves.items()}
    texts = {path: form.text for path, form in forms.items() if form is not None}
    stated = texts.get("currency_code", "")
    currency = stated if stated in MINOR_UNITS else _USUAL_CURRENCY
    unit = minor_unit(currency)
    return [
        BrokenSum(rule=out.code, path=out.path, read=f"{out.actual:f}", expected=f"{round_to(out.expected, unit):f}")
        for out in check_calculations(amounts_of_leaves(texts), currency)
        if abs(out.expected - out.actual) > unit / 2
    ]


def make_reading(
    record: Mapping[str, Any],
    pages: Sequence[PageSize],
    read_by: ReadBy,
    seconds: StageSeconds,
) -> DocumentAnswer:
    """Return the answer about a document.

    Args:
        record: Of `Extractor.read_content`, in the schema's fields.
        pages: Of the document, in order.
        read_by: The reader that made the record.
        seconds: How long it took.
    """
    found = assess(record)
    return DocumentAnswer(
        id=record["id"],
        file=record["file"],
        pages=list(pages),
        values=found.values,
        needs_review=bool(found.reasons or found.broken),
        review_reasons=found.reasons,
        broken_arithmetic=found.broken,
        read_by=read_by,
        seconds=seconds,
        record=dict(record),
    )


def in_user_keys(answer: DocumentAnswer, record: Mapping[str, Any], mapping: SchemaMapping | None) -> DocumentAnswer:
    """Return an answer whose record is in a user's keys, as `finscribe extract --schema` prints it.

    Args:
        answer: In the schema's fields; its values keep their paths.
        record: Of `Extractor.read_content`.
        mapping: The user's keys; None for those of the schema.
    """
    if mapping is None:
        return answer
    return answer.model_copy(update={"record": record_in_user_keys(record, mapping)})
