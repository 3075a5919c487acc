"""The documents with the lowest scores, for review: true and predicted values, and pages with failed fields marked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from PIL import ImageDraw, ImageFont
from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.evaluation.document_scoring import ScoredDocument
from finscribe_assets.evaluation.failure_excerpts import FAILED_FIELD_COLOUR, PageIllustration, embedded
from finscribe_assets.evaluation.field_comparison import FieldOutcome, FieldStatus
from finscribe_assets.evaluation.prediction_files import Prediction
from finscribe_assets.files import AnyPath
from finscribe_assets.rendering.page_batch import pages_by_id
from finscribe_assets.rendering.pages import MarkType, RenderedDocument

MAX_WORST_DOCUMENTS = 20
MAX_ILLUSTRATED_PAGES = 2  # of each document
MAX_ILLUSTRATION_CHARACTERS = 500_000  # of all data URLs together, so that the report stays below 1 MB
MAX_LISTED_FIELDS = 400  # of each document: a model may invent any number of fields
MAX_RESPONSE_EXCERPT = 4000  # characters
ILLUSTRATION_WIDTH, ILLUSTRATION_QUALITY = 760, 38  # pixels; quality of WebP


class ComparedField(BaseModel):
    """One field of a document, true and predicted."""

    model_config = ConfigDict(frozen=True)

    path: str
    status: FieldStatus
    truth: str | None
    predicted: str | None
    confidence: float | None = None


class WorstDocument(BaseModel):
    """A document with a low score and its fields, failed ones first."""

    model_config = ConfigDict(frozen=True)

    id: str
    document_type: str
    locale: str
    field_f1: float
    parse_statuses: tuple[str, ...] = Field(description="what was found when the response was parsed")
    fields: tuple[ComparedField, ...]
    omitted_fields: int = Field(description=f"number of fields beyond the first {MAX_LISTED_FIELDS}")
    response: str = Field(description=f"the response's first {MAX_RESPONSE_EXCERPT:,} characters")

    @property
    def failed(self) -> tuple[ComparedField, ...]:
        """Return the fields that are not correct; illustrations number them from 1 in this order."""
        return tuple(field for field in self.fields if field.status is not FieldStatus.CORRECT)


def worst_documents(scored: Sequence[ScoredDocument], predictions: Mapping[str, Prediction]) -> list[WorstDocument]:
    """Return the documents with the lowest field F1, the lowest first; documents without an error are left out."""
    imperfect = sorted(
        (document for document in scored if document.correct < len(document.outcomes)),
        key=lambda document: (document.f1, document.correct - len(document.outcomes), document.truth.id),
    )
    return [_worst(document, predictions.get(document.truth.id)) for document in imperfect[:MAX_WORST_DOCUMENTS]]


def _worst(scored: ScoredDocument, prediction: Prediction | None) -> WorstDocument:
    failed_first = sorted(scored.outcomes, key=lambda outcome: outcome.status is FieldStatus.CORRECT)
    return WorstDocument(
        id=scored.truth.id,
        document_type=str(scored.truth.document.get("document_type", "")),
        locale=scored.truth.locale or "",
        field_f1=round(scored.f1, 4),
        parse_statuses=tuple(map(str, scored.parse_statuses)),
        fields=tuple(map(_compared, failed_first[:MAX_LISTED_FIELDS])),
        omitted_fields=max(0, len(failed_first) - MAX_LISTED_FIELDS),
        response=_as_text(prediction.response)[:MAX_RESPONSE_EXCERPT] if prediction else "",
    )


def _compared(outcome: FieldOutcome) -> ComparedField:
    return ComparedField(
        path=outcome.path,
        status=outcome.status,
        truth=outcome.truth,
        predicted=outcome.predicted,
        confidence=outcome.confidence,
    )


def _as_text(response: Any) -> str:
    if isinstance(response, str):
        text = response
    else:
        try:
            text = json.dumps(response, ensure_ascii=False)
        except (ValueError, RecursionError):  # an integer of more digits than Python converts, or nested too deep
            return "an object that cannot be written as JSON"
    # JSON can escape a lone surrogate, but no file can hold it.
    return text.encode("utf-8", errors="replace").decode("utf-8")


def illustrate_worst(worst: Sequence[WorstDocument], folders: Iterable[AnyPath]) -> dict[str, list[PageIllustration]]:
    """Return illustrated pages of the worst documents, by document id, until they are too large for one report.

    Args:
        worst: the documents, the worst first.
        folders: of rendered pages; documents whose pages are in none of them are left out.

    Raises:
        FileNotFoundError: a folder has no pages.
    """
    by_id = {document.id: document for document in worst}
    rendered = {one.id: one for folder in folders for one in pages_by_id(folder, by_id.keys())}
    illustrated: dict[str, list[PageIllustration]] = {}
    left = MAX_ILLUSTRATION_CHARACTERS
    for document in worst:
        if document.id not in rendered:
            continue
        pages = illustrate_document(document, rendered[document.id])
        left -= sum(len(page.source) for page in pages)
        if left < 0:
            break
        illustrated[document.id] = pages
    return illustrated


def illustrate_document(document: WorstDocument, rendered: RenderedDocument) -> list[PageIllustration]:
    """Return the first pages of a document that print failed fields, with a numbered box around each of these.

    The number is the field's row in the report's table of failed fields, so that the box does not depend on its colour.
    """
    numbers = {field.path: number for number, field in enumerate(document.failed, 1)}
    illustrations: list[PageIllustration] = []
    fragments = [
        (fragment, mark.name)
        for mark in rendered.of_type(MarkType.FIELD)
        if mark.name in numbers
        for fragment in mark.fragments
    ]
    pages = sorted({fragment.page for fragment, _ in fragments})[:MAX_ILLUSTRATED_PAGES]
    for index in pages or [0]:
        image = rendered.pages[index].open().convert("RGB")
        canvas = ImageDraw.Draw(image)
        marked = []
        for fragment, name in fragments:
            if fragment.page == index:
                _draw_frame(canvas, fragment.box.padded(2), numbers[name])
                marked.append(f"{numbers[name]} {name}")
        failed = f"failed fields: {', '.join(dict.fromkeys(marked))}" if marked else "no failed field is on it"
        text = f"Page {index + 1} of {len(rendered.pages)} of {document.id}; {failed}."
        illustrations.append(embedded(image, text, ILLUSTRATION_WIDTH, ILLUSTRATION_QUALITY))
    return illustrations


def _draw_frame(canvas: ImageDraw.ImageDraw, box: tuple[float, float, float, float], number: int) -> None:
    canvas.rectangle(box, outline=FAILED_FIELD_COLOUR, width=3)
    font, corner = ImageFont.load_default(15), (box[2] + 3, box[1] - 2)
    background = canvas.textbbox(corner, str(number), font)
    canvas.rectangle(background, fill=FAILED_FIELD_COLOUR, outline=FAILED_FIELD_COLOUR, width=2)
    canvas.text(corner, str(number), fill="#ffffff", font=font)
