"""The documents that were read worst, for a person to look at: values side by side, pages with what failed marked."""

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

SHOWN = 20
PAGES_SHOWN = 3  # of one document
FIELDS_SHOWN = 400  # of one document; a model may make up fields without end
RESPONSE_SHOWN = 4000  # characters of what the model wrote
PICTURE_WIDTH = 800
FAILED = "#c1121f"


class ComparedField(BaseModel):
    """One field as it is and as it was read."""

    model_config = ConfigDict(frozen=True)

    path: str
    status: FieldStatus
    truth: str | None
    predicted: str | None
    confidence: float | None = None


class PoorDocument(BaseModel):
    """A document that was read badly, with every field of it, those that failed first."""

    model_config = ConfigDict(frozen=True)

    id: str
    document_type: str
    locale: str
    field_f1: float
    parse_statuses: tuple[str, ...] = Field(description="what was found when the response was parsed")
    fields: tuple[ComparedField, ...]
    left_off: int = Field(description=f"fields beyond the first {FIELDS_SHOWN}")
    response: str = Field(description=f"what the model wrote, its first {RESPONSE_SHOWN:,} characters")

    @property
    def failed(self) -> tuple[ComparedField, ...]:
        """Return the fields that were not read right; their numbers on the pictures count from 1 in this order."""
        return tuple(field for field in self.fields if field.status is not FieldStatus.CORRECT)


@dataclass(frozen=True)
class PageIllustration:
    """One page for the report: a picture to embed and the words that stand for it."""

    source: str  # a data: address
    width: int
    height: int
    text: str


def worst_documents(scored: Sequence[ScoredDocument], predictions: Mapping[str, Prediction]) -> list[PoorDocument]:
    """Return the documents with the lowest field F1, the worst first; none that is wholly right."""
    poor = sorted(
        (one for one in scored if one.correct < len(one.outcomes)),
        key=lambda one: (one.f1, one.correct - len(one.outcomes), one.truth.id),
    )
    return [_poor(one, predictions.get(one.truth.id)) for one in poor[:SHOWN]]


def _poor(one: ScoredDocument, prediction: Prediction | None) -> PoorDocument:
    document = one.truth.document
    ordered = sorted(one.outcomes, key=lambda outcome: outcome.status is FieldStatus.CORRECT)
    return PoorDocument(
        id=one.truth.id,
        document_type=str(document.get("document_type", "")),
        locale=one.truth.locale or "",
        field_f1=round(one.f1, 4),
        parse_statuses=tuple(map(str, one.parse_statuses)),
        fields=tuple(map(_compared, ordered[:FIELDS_SHOWN])),
        left_off=max(0, len(ordered) - FIELDS_SHOWN),
        response=_written(prediction.response)[:RESPONSE_SHOWN] if prediction else "",
    )


def _compared(outcome: FieldOutcome) -> ComparedField:
    return ComparedField(
        path=outcome.path,
        status=outcome.status,
        truth=outcome.truth,
        predicted=outcome.predicted,
        confidence=outcome.confidence,
    )


def _written(response: Any) -> str:
    if isinstance(response, str):
        text = response
    else:
        try:
            text = json.dumps(response, ensure_ascii=False)
        except (ValueError, RecursionError):  # an integer of more digits than Python writes, or too deep
            return "an object that cannot be written"
    # A lone surrogate is a valid string in JSON's escapes, and in no file.
    return text.encode("utf-8", errors="replace").decode("utf-8")


def pictures_of(worst: Sequence[PoorDocument], folders: Iterable[AnyPath]) -> dict[str, list[PageIllustration]]:
    """Return pages of the worst documents by id, from folders of page images; none of what lies in none of them.

    Raises:
        FileNotFoundError: a folder has no pages.
    """
    wanted = {poor.id: poor for poor in worst}
    return {
        rendered.id: page_pictures(wanted[rendered.id], rendered)
        for folder in folders
        for rendered in pages_by_id(folder, wanted.keys())
    }


def page_pictures(poor: PoorDocument, rendered: RenderedDocument) -> list[PageIllustration]:
    """Return a document's first pages with a numbered box around each field that was not read right.

    The number is the field's row in the report's table of what failed, so that nothing is told by colour alone.
    """
    numbers = {field.path: number for number, field in enumerate(poor.failed, 1)}
    pictures = []
    for number, page in enumerate(rendered.pages[:PAGES_SHOWN]):
        image = page.open().convert("RGB")
        canvas = ImageDraw.Draw(image)
        marked = []
        for mark in rendered.of_type(MarkType.FIELD):
            if mark.name in numbers:
                for part in mark.fragments:
                    if part.page == number:
                        _frame(canvas, part.box.padded(2), numbers[mark.name])
                        marked.append(f"{numbers[mark.name]} {mark.name}")
        told = f"not read right: {', '.join(dict.fromkeys(marked))}" if marked else "nothing of what failed is on it"
        pictures.append(_embedded(image, f"Page {number + 1} of {len(rendered.pages)} of {poor.id}; {told}."))
    return pictures


def _frame(canvas: ImageDraw.ImageDraw, box: tuple[float, float, float, float], number: int) -> None:
    canvas.rectangle(box, outline=FAILED, width=3)
    font, place = ImageFont.load_default(15), (box[2] + 3, box[1] - 2)
    canvas.rectangle(canvas.textbbox(place, str(number), font), fill=FAILED, outline=FAILED, width=2)
    canvas.text(place, str(number), fill="#ffffff", font=font)


def _embedded(image: Image.Image, text: str) -> PageIllustration:
    if image.width > PICTURE_WIDTH:
        size = PICTURE_WIDTH, round(image.height * PICTURE_WIDTH / image.width)
        image = image.resize(size, Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=55, method=4)
    data = base64.b64encode(buffer.getvalue()).decode()
    return PageIllustration(f"data:image/webp;base64,{data}", image.width, image.height, text)
