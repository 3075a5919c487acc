"""Write pages and their boxes as COCO detection data, which pycocotools, MMDetection and PaddleDetection load.

Unlike the other formats, this one exports pages, not pairs. ``images/`` holds the stored pages, and
``annotations/instances_SPLIT.json`` a box for each fragment of a mark (a value that wraps has several). Categories are
the elements of fields, and cell, row, table, line and region; their numbers are the same in every export. Boxes are
[x, y, width, height] in pixels, clipped to the page. A fragment that damage made illegible has ``"unreadable": true``
and ``"ignore": 1``, which makes trainers skip it. Annotations have two extra keys: the ``name`` of the mark and its
printed ``text``.

A COCO file is one JSON value. It is written with one object per line, and the validator requires that: both then hold
only one object in memory at a time, although the loaders hold all of them.
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
_PAGES, _MARKS = "pages.jsonl", "marks.jsonl"  # temporary files of a part

_LAYOUT = (MarkType.CELL, MarkType.ROW, MarkType.TABLE, MarkType.LINE, MarkType.REGION)
COCO_CATEGORIES: tuple[dict[str, Any], ...] = tuple(
    {"id": number, "name": str(name), "supercategory": supercategory}
    for number, (name, supercategory) in enumerate(
        [*((element, "field") for element in Element), *((mark_type, "layout") for mark_type in _LAYOUT)], 1
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
        raise ExportError(f"{mark.name}: the schema has no such field; draw and render the batch again")
    return int(_NUMBERS[element])


def _box(page: Page, box: Box) -> list[float] | None:
    x0, y0 = max(0.0, box.x0), max(0.0, box.y0)
    x1, y1 = min(float(page.width), box.x1), min(float(page.height), box.y1)
    return [round(side, 2) for side in (x0, y0, x1 - x0, y1 - y0)] if x1 > x0 and y1 > y0 else None


def _annotation(location: RecordLocation, image: int, mark: Mark, part: Fragment, page: Page) -> dict[str, Any]:
    box = _box(page, part.box)
    if box is None or not all(box[2:]):
        raise location.error(
            f"{mark.type} {mark.name}", f"{part.box} has no area on the page", "render the batch again"
        )
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
    images = ImageFiles(part.out)
    pages: list[bytes] = []
    marks: list[bytes] = []
    for document in part.read_documents():
        first_page = len(pages)
        for number, page in enumerate(document.pages):
            name = images.write_page(document.id, number, page.image)
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
        location = RecordLocation(part.images.name, f"document {document.id}")
        marks += [
            json_line(_annotation(location, first_page + fragment.page, mark, fragment, document.pages[fragment.page]))
            for mark in document.marks
            for fragment in mark.fragments
        ]
    write_bytes(part.scratch_file(_PAGES), b"".join(pages))
    write_bytes(part.scratch_file(_MARKS), b"".join(marks))
    images.remove_strays()


def _finish(out: Path, split: Split, parts: Sequence[ExportPart]) -> None:
    target = _file(out, split)
    with atomic_write(target) as stream:
        stream.write(_HEAD)
        first_pages = [1]  # the number of the first page of each part
        for name, (_, start, end) in zip((_PAGES, _MARKS), _LISTS, strict=True):
            stream.write(start)
            for number, (part, record) in enumerate(_read_scratch_files(parts, name), 1):
                if name == _PAGES:
                    first_pages += [number] * (part + 1 - len(first_pages))
                else:
                    record["image_id"] += first_pages[part]
                stream.write((b",\n" if number > 1 else b"") + json_line({"id": number, **record}).rstrip())
            stream.write(b"\n" + end)
    for stray in target.parent.iterdir():
        if stray != target:
            stray.unlink()
    keep_documents(out, parts)


def _read_scratch_files(parts: Sequence[ExportPart], name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the index of the part and the record of each line of the parts' temporary files."""
    for index, part in enumerate(parts):
        with part.scratch_file(name).open("rb") as stream:
            for line in stream:
                yield index, json.loads(line)


def _validate(out: Path, split: Split, inspector: SampleInspector) -> None:
    pages: dict[int, dict[str, Any]] = {}
    for list_name, number, location, record in _read_records(_file(out, split)):
        if type(record.get("id")) is not int or record["id"] != number:
            raise location.error(
                "id", f"{record.get('id')!r}, expected {number}", f"number the {list_name} from 1, in order"
            )
        if list_name == "images":
            inspector.check_image_file(location, "file_name", out / IMAGE_FOLDER, record.get("file_name"))
            _check_size(location, record, out)
            pages[number] = {side: record[side] for side in ("width", "height")}
        else:
            _check_mark(location, record, pages)
            inspector.count_sample()


def _read_records(file: Path) -> Iterator[tuple[str, int, RecordLocation, dict[str, Any]]]:
    """Yield list name, number, location and object of each image and annotation, one at a time."""
    if not file.is_file():
        raise RecordLocation(file, "file").error("name", "does not exist", "export again")
    fix = "write one object per line, with a comma after all but the last"
    with file.open("rb") as stream:
        if stream.read(len(_HEAD)) != _HEAD:
            raise RecordLocation(file, "head").error(
                "info, licenses, categories", "not those of this format", "export again"
            )
        line_number = _HEAD.count(b"\n")
        for list_name, start, end in _LISTS:
            line, has_comma, number = start, True, 0
            while line != end:
                line, line_number = stream.readline(), line_number + 1
                location = RecordLocation(file, f"line {line_number}")
                if number == 0 and line != start:
                    raise location.error(list_name, "the list does not begin here", fix)
                if number and (line == end) == has_comma:
                    raise location.error(list_name, "a comma is missing, or there is one too many", fix)
                if number and line != end:
                    has_comma = line.endswith(b",\n")
                    record = parse_object(location, line.removesuffix(b"\n").removesuffix(b","))
                    yield list_name, number, location, record
                number += 1
        if stream.read():
            raise RecordLocation(file, "end").error("file", "content after the end of the JSON value", "export again")


def _check_size(location: RecordLocation, page: dict[str, Any], out: Path) -> None:
    from PIL import Image

    with Image.open(out / IMAGE_FOLDER / page["file_name"]) as image:
        if image.size != (page.get("width"), page.get("height")):
            raise location.error(
                "width and height",
                f"{page.get('width')} × {page.get('height')}, but the image has {image.width} × {image.height}",
                "export again",
            )


def _check_mark(location: RecordLocation, mark: dict[str, Any], pages: dict[int, dict[str, Any]]) -> None:
    image, category, area = mark.get("image_id"), mark.get("category_id"), mark.get("area")
    page = pages.get(image) if type(image) is int else None
    if page is None:
        raise location.error("image_id", f"there is no image {image}", "export again")
    if type(category) is not int or not 1 <= category <= len(COCO_CATEGORIES):
        raise location.error("category_id", f"there is no category {category}", "export again")
    box = mark.get("bbox")
    if not isinstance(box, list) or len(box) != 4 or not all(type(side) in (int, float) for side in box):
        raise location.error("bbox", f"{box} is not x, y, width and height", "write four numbers")
    x, y, width, height = box
    right, bottom = page["width"] + 0.02, page["height"] + 0.02  # x, y, width and height are rounded to hundredths
    if min(x, y) < 0 or min(width, height) <= 0 or x + width > right or y + height > bottom:
        raise location.error(
            "bbox",
            f"{box} is not inside the page of {page['width']} × {page['height']} pixels",
            "write x, y, width and height in pixels of the page",
        )
    if type(area) not in (int, float) or abs(area - width * height) > 0.01:
        raise location.error("area", f"{area} is not the area of {box}", "write width × height")
    if mark.get("ignore") != int(mark.get("unreadable") is True):
        raise location.error("ignore", "contradicts unreadable", "write 1 if unreadable is true, else 0")


def _load_with(out: Path, split: Split) -> str:
    return f"pycocotools.coco.COCO({str(_file(out, split))!r})"


COCO_FORMAT = FormatHandler(_write, _finish, _validate, _load_with)
