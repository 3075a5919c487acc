"""Pages with the marks on them as COCO detection data, which pycocotools, MMDetection and PaddleDetection read.

This is of pages, not of pairs: ``images/`` holds every page as it is stored, ``annotations/instances_SPLIT.json`` a box
for each fragment of a mark (a value that wraps has several). Categories are the elements that fields are counted with,
and cell, row, table, line and region; they have the same numbers in every export. Boxes are [x, y, width, height] in
pixels, cut to the page. A fragment that damage has made unreadable says ``"unreadable": true`` and ``"ignore": 1``, by
which trainers leave it out. An annotation's extra keys: ``name`` of the mark and ``text`` as printed.

COCO is one JSON value. It is written with one object a line, and must stay so to be validated: then neither holds more
than an object at a time, whatever its loaders hold.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from finscribe_assets.documents.elements import element_of
from finscribe_assets.documents.value_types import Element
from finscribe_assets.exporting.export_samples import (
    IMAGE_FOLDER,
    ExportPart,
    FormatHandler,
    ImageFiles,
    keep_documents,
)
from finscribe_assets.exporting.json_lines import json_line, parse_object
from finscribe_assets.exporting.sample_checks import ExportError, RecordLocation, SampleInspector
from finscribe_assets.files import atomic_write, write_bytes
from finscribe_assets.rendering.pages import Box, Fragment, Mark, MarkType, Page
from finscribe_assets.splitting.split_assignment import Split

ANNOTATION_FOLDER = "annotations"
_PAGES, _MARKS = "pages.jsonl", "marks.jsonl"

_LAYOUT = (MarkType.CELL, MarkType.ROW, MarkType.TABLE, MarkType.LINE, MarkType.REGION)
COCO_CATEGORIES: tuple[dict[str, Any], ...] = tuple(
    {"id": number, "name": str(name), "supercategory": kind}
    for number, (name, kind) in enumerate(
        [*((element, "field") for element in Element), *((kind, "layout") for kind in _LAYOUT)], 1
    )
)
_INFO = {"description": "Pages of synthetic business documents, made by FinScribe"}
_LICENSES = ({"id": 1, "name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},)
_HEAD = b"{" + b"".join(
    json_line(name).rstrip() + b": " + json_line(value).rstrip() + b",\n"
    for name, value in (("info", _INFO), ("licenses", _LICENSES), ("categories", COCO_CATEGORIES))
)
_LISTS = (("images", b'"images": [\n', b"],\n"), ("annotations", b'"annotations": [\n', b"]}\n"))
_NUMBERS = {category["name"]: category["id"] for category in COCO_CATEGORIES}


def _file(out: Path, split: Split) -> Path:
    return out / ANNOTATION_FOLDER / f"instances_{split}.json"


def _category(mark: Mark) -> int:
    if mark.type is not MarkType.FIELD:
        return int(_NUMBERS[mark.type])
    element = element_of(mark.name)
    if element is None:
        raise ExportError(f"field {mark.name}: the schema has no such field; render the batch again")
    return int(_NUMBERS[element])


def _box(page: Page, box: Box) -> list[float] | None:
    x0, y0 = max(0.0, box.x0), max(0.0, box.y0)
    x1, y1 = min(float(page.width), box.x1), min(float(page.height), box.y1)
    return [round(side, 2) for side in (x0, y0, x1 - x0, y1 - y0)] if x1 > x0 and y1 > y0 else None


def _annotation(place: RecordLocation, image: int, mark: Mark, part: Fragment, page: Page) -> dict[str, Any]:
    box = _box(page, part.box)
    if box is None or not all(box[2:]):
        raise place.error(f"{mark.type} {mark.name}", f"{part.box} has no area on the page", "render the batch again")
    x, y, width, height = box
    return {
        "image_id": image,
        "category_id": _category(mark),
        "bbox": box,
        "area": round(width * height, 2),
        "segmentation": [[x, y, x + width, y, x + width, y + height, x, y + height]],
        "iscrowd": 0,
        "ignore": int(not part.visible),
        "unreadable": not part.visible,
        "name": mark.name,
        "text": part.text,
    }


def _write(part: ExportPart) -> None:
    pictures = ImageFiles(part.out)
    pages: list[bytes] = []
    marks: list[bytes] = []
    for document in part.read_documents():
        first = len(pages)
        for number, page in enumerate(document.pages):
            name = pictures.page(document.id, number, page.image)
            pages.append(
                json_line(
                    {
                        "file_name": name.removeprefix(f"{IMAGE_FOLDER}/"),
                        "width": page.width,
                        "height": page.height,
                        "document_id": document.id,
                        "page": number,
                    }
                )
            )
        place = RecordLocation(part.images.name, f"document {document.id}")
        marks += [
            json_line(_annotation(place, first + fragment.page, mark, fragment, document.pages[fragment.page]))
            for mark in document.marks
            for fragment in mark.fragments
        ]
    write_bytes(part.scratch_file(_PAGES), b"".join(pages))
    write_bytes(part.scratch_file(_MARKS), b"".join(marks))
    pictures.remove_strays()


def _finish(out: Path, split: Split, parts: Sequence[ExportPart]) -> None:
    target = _file(out, split)
    with atomic_write(target) as stream:
        stream.write(_HEAD)
        firsts = [1]  # the first page's number of each part
        for name, (_, start, end) in zip((_PAGES, _MARKS), _LISTS, strict=True):
            stream.write(start)
            for number, (at, record) in enumerate(_scratch(parts, name), 1):
                if name == _PAGES:
                    firsts += [number] * (at + 1 - len(firsts))
                else:
                    record["image_id"] += firsts[at]
                stream.write((b",\n" if number > 1 else b"") + json_line({"id": number, **record}).rstrip())
            stream.write(b"\n" + end)
    for stray in target.parent.iterdir():
        if stray != target:
            stray.unlink()
    keep_documents(out, parts)


def _scratch(parts: Sequence[ExportPart], name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each line of the parts' scratch files with its part's place among them."""
    for at, part in enumerate(parts):
        with part.scratch_file(name).open("rb") as stream:
            for line in stream:
                yield at, json.loads(line)


def _validate(out: Path, split: Split, inspector: SampleInspector) -> None:
    pages: dict[int, dict[str, Any]] = {}
    for what, number, place, record in _records(_file(out, split)):
        if type(record.get("id")) is not int or record["id"] != number:
            raise place.error("id", f"{record.get('id')!r}, this is number {number}", f"number {what} from 1, in order")
        if what == "images":
            inspector.check_image_file(place, "file_name", out / IMAGE_FOLDER, record.get("file_name"))
            _check_size(place, record, out)
            pages[number] = {side: record[side] for side in ("width", "height")}
        else:
            _check_mark(place, record, pages)
            inspector.count_sample()


def _records(file: Path) -> Iterator[tuple[str, int, RecordLocation, dict[str, Any]]]:
    """Yield each image and annotation with its list's name and its number, holding one at a time."""
    if not file.is_file():
        raise RecordLocation(file, "file").error("name", "does not exist", "export again")
    form = "one object a line, a comma after all but the last"
    with file.open("rb") as stream:
        if stream.read(len(_HEAD)) != _HEAD:
            raise RecordLocation(file, "head").error("info, licenses, categories", "not this project's", "export again")
        line_number = _HEAD.count(b"\n")
        for what, start, end in _LISTS:
            line, more, number = start, True, 0
            while line != end:
                line, line_number = stream.readline(), line_number + 1
                place = RecordLocation(file, f"line {line_number}")
                if number == 0 and line != start:
                    raise place.error(what, "the list does not begin here", f"write {form}")
                if number and (line == end) == more:
                    raise place.error(what, "a comma too many, or one too few", f"write {form}")
                if number and line != end:
                    more = line.endswith(b",\n")
                    yield what, number, place, parse_object(place, line.removesuffix(b"\n").removesuffix(b","))
                number += 1
        if stream.read():
            raise RecordLocation(file, "end").error("file", "goes on after its end", "export again")


def _check_size(place: RecordLocation, page: dict[str, Any], out: Path) -> None:
    from PIL import Image

    with Image.open(out / IMAGE_FOLDER / page["file_name"]) as image:
        if image.size != (page.get("width"), page.get("height")):
            raise place.error(
                "width and height",
                f"{page.get('width')} × {page.get('height')}, the picture has {image.width} × {image.height}",
                "export again",
            )


def _check_mark(place: RecordLocation, mark: dict[str, Any], pages: dict[int, dict[str, Any]]) -> None:
    image, category, area = mark.get("image_id"), mark.get("category_id"), mark.get("area")
    page = pages.get(image) if type(image) is int else None
    if page is None:
        raise place.error("image_id", f"there is no image {image}", "export again")
    if type(category) is not int or not 1 <= category <= len(COCO_CATEGORIES):
        raise place.error("category_id", f"there is no category {category}", "export again")
    box = mark.get("bbox")
    if not isinstance(box, list) or len(box) != 4 or not all(type(side) in (int, float) for side in box):
        raise place.error("bbox", f"{box} is not x, y, width and height", "write four numbers")
    x, y, width, height = box
    right, bottom = page["width"] + 0.02, page["height"] + 0.02  # sides are rounded to hundredths each
    if min(x, y) < 0 or min(width, height) <= 0 or x + width > right or y + height > bottom:
        raise place.error(
            "bbox",
            f"{box} is not on a page of {page['width']} × {page['height']} pixels",
            "write x, y, width and height within it",
        )
    if type(area) not in (int, float) or abs(area - width * height) > 0.01:
        raise place.error("area", f"{area} is not that of {box}", "write width × height")
    if mark.get("ignore") != int(mark.get("unreadable") is True):
        raise place.error("ignore", "says otherwise than unreadable", "write 1 for what is unreadable, else 0")


def _load_with(out: Path, split: Split) -> str:
    return f'pycocotools.coco.COCO("{_file(out, split)}")'


COCO_FORMAT = FormatHandler(_write, _finish, _validate, _load_with)
