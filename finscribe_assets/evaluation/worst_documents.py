"""The documents with the lowest scores, for review: true and predicted values, and pages with failed fields marked."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.evaluation.document_scoring import ScoredDocument
from finscribe_assets.evaluation.field_comparison import FieldOutcome, FieldStatus
from finscribe_assets.evaluation.prediction_files import Prediction
from finscribe_assets.files import AnyPath
from finscribe_assets.rendering.page_batch import pages_by_id
from finscribe_assets.rendering.pages import MarkType, RenderedDocument

MAX_WORST_DOCUMENTS = 20
MAX_ILLUSTRATED_PAGES = 3  # of each document
MAX_LISTED_FIELDS = 400  # of each document: a model may invent any number of fields
MAX_RESPONSE_EXCERPT = 4000  # characters
ILLUSTRATION_WIDTH = 800  # pixels
FAILED_FIELD_COLOUR = "#c1121f"


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


@dataclass(frozen=True)
class PageIllustration:
    """An image of a page to embed in a report.

    Attributes:
        source: the image as a data URL.
        width: in pixels.
        height: in pixels.
        text: alternative text.
    """

    source: str
    width: int
    height: int
    text: str


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
    """Return illustrated pages of the worst documents, by document id.

    Args:
        worst: the documents.
        folders: of rendered pages; documents whose pages are in none of them are left out.

    Raises:
        FileNotFoundError: a folder has no pages.
    """
    by_id = {document.id: document for document in worst}
    return {
        rendered.id: illustrate_document(by_id[rendered.id], rendered)
        for folder in folders
        for rendered in pages_by_id(folder, by_id.keys())
    }


def illustrate_document(document: WorstDocument, rendered: RenderedDocument) -> list[PageIllustration]:
    """Return the first pages of a document with a numbered box around each failed field.

    The number is the field's row in the report's table of failed fields, so that the box does not depend on its colour.
    """
    numbers = {field.path: number for number, field in enumerate(document.failed, 1)}
    illustrations = []
    for index, page in enumerate(rendered.pages[:MAX_ILLUSTRATED_PAGES]):
        image = page.open().convert("RGB")
        canvas = ImageDraw.Draw(image)
        marked = []
        for mark in rendered.of_type(MarkType.FIELD):
            if mark.name in numbers:
                for fragment in mark.fragments:
                    if fragment.page == index:
                        _draw_frame(canvas, fragment.box.padded(2), numbers[mark.name])
                        marked.append(f"{numbers[mark.name]} {mark.name}")
        failed = f"failed fields: {', '.join(dict.fromkeys(marked))}" if marked else "no failed field is on it"
        text = f"Page {index + 1} of {len(rendered.pages)} of {document.id}; {failed}."
        illustrations.append(_embedded(image, text))
    return illustrations


def _draw_frame(canvas: ImageDraw.ImageDraw, box: tuple[float, float, float, float], number: int) -> None:
    canvas.rectangle(box, outline=FAILED_FIELD_COLOUR, width=3)
    font, corner = ImageFont.load_default(15), (box[2] + 3, box[1] - 2)
    background = canvas.textbbox(corner, str(number), font)
    canvas.rectangle(background, fill=FAILED_FIELD_COLOUR, outline=FAILED_FIELD_COLOUR, width=2)
    canvas.text(corner, str(number), fill="#ffffff", font=font)


def _embedded(image: Image.Image, text: str) -> PageIllustration:
    if image.width > ILLUSTRATION_WIDTH:
        size = ILLUSTRATION_WIDTH, round(image.height * ILLUSTRATION_WIDTH / image.width)
        image = image.resize(size, Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=55, method=4)
    data = base64.b64encode(buffer.getvalue()).decode()
    return PageIllustration(f"data:image/webp;base64,{data}", image.width, image.height, text)
