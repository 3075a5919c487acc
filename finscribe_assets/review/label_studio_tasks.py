"""Write Label Studio tasks: a document with its pages, and its predicted values as pre-annotations.

A value with a box has two results of one id, ``rectanglelabels`` and ``textarea``; ``item_index`` is the page. Boxes
are in per cent of the page. Format: https://labelstud.io/guide/predictions.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from finscribe_assets.documents.elements import field_of
from finscribe_assets.rendering.located_boxes import PAGE_UNITS, LocatedBox
from finscribe_assets.review.label_studio_config import FIELD_TAG, PAGES_TAG, TEXT_TAG, UNPLACED_TAG
from finscribe_assets.review.review_fields import FIELD_CHOICES
from finscribe_assets.review.review_set import ReviewDocument, ReviewValue

PERCENT_OF_UNIT = 100 / PAGE_UNITS
ID_KEY = "finscribe_id"  # of the task's data: the document's id, by which an answer finds its document


def review_task(document: ReviewDocument, pages: list[str], name: str, model_version: str) -> dict[str, Any]:
    """Return the task of a document.

    Args:
        document: the document.
        pages: URLs of its pages' images, in order; see `image_data_uri`.
        name: shown above the page.
        model_version: who predicted the values; shown beside them.
    """
    results = list(_results(document))
    scores = [value.confidence for value in document.values if value.confidence is not None]
    prediction: dict[str, Any] = {"model_version": model_version, "result": results}
    if scores:
        prediction["score"] = round(sum(scores) / len(scores), 4)  # the data manager sorts by it
    return {"data": {ID_KEY: document.id, "name": name, "pages": pages}, "predictions": [prediction]}


def image_data_uri(content: bytes) -> str:
    """Return a page's image, PNG or JPEG, as a URI that holds it."""
    kind = "png" if content.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _results(document: ReviewDocument) -> Iterator[dict[str, Any]]:
    unplaced: list[str] = []
    for key, value in document.by_key.items():
        if value.path in FIELD_CHOICES:
            if value.text in FIELD_CHOICES[value.path]:
                yield _scored(value, _result(key, value.path, "choices", {"choices": [value.text]}))
        elif (region := value.region) is None:
            unplaced.append(f"{value.path} = {value.text}")
        else:
            yield from _region_results(document, key, value, region)
    if unplaced:
        yield _result(f"{UNPLACED_TAG}0", UNPLACED_TAG, "textarea", {"text": unplaced})
    stated = {value.path for value in document.values}
    if document.locale in FIELD_CHOICES["locale"] and "locale" not in stated:
        yield _result("locale0", "locale", "choices", {"choices": [document.locale]})


def _region_results(
    document: ReviewDocument, key: str, value: ReviewValue, region: LocatedBox
) -> Iterator[dict[str, Any]]:
    width, height = document.size_of(region.page)
    place = percent_box(region) | {"rotation": 0}
    frame = {
        "item_index": region.page - 1,
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
    }
    label, text = {"rectanglelabels": [field_of(value.path)]}, {"text": [value.text]}
    yield _scored(value, _result(key, FIELD_TAG, "rectanglelabels", place | label) | frame)
    yield _scored(value, _result(key, TEXT_TAG, "textarea", place | text) | frame)


def percent_box(located: LocatedBox) -> dict[str, float]:
    """Return a box as Label Studio has it: the top left corner and the size, in per cent of the page."""
    box = located.box
    sides = {"x": box.x0, "y": box.y0, "width": box.width, "height": box.height}
    return {name: round(side * PERCENT_OF_UNIT, 6) for name, side in sides.items()}


def _result(key: str, tag: str, type_: str, value: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": key, "from_name": tag, "to_name": PAGES_TAG, "type": type_, "value": dict(value)}


def _scored(value: ReviewValue, result: dict[str, Any]) -> dict[str, Any]:
    return result if value.confidence is None else {**result, "score": round(value.confidence, 4)}
