"""The pairs of one document: what is asked of its pages, and the answer that they show.

A response never holds what its image does not show: JSON answers are built from printed values inside the region that
damage has left readable, in canonical form (ISO dates, plain decimals); `OCR:` and tables are verbatim.
"""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.documents.drawn import DrawnDocument
from finscribe_assets.documents.elements import FIELDS, UNPRINTED, element_of
from finscribe_assets.documents.schema import flatten
from finscribe_assets.instructions.otsl import Grid, to_otsl
from finscribe_assets.instructions.pair import OCR_PROMPT, TABLE_PROMPT, Pair, Task
from finscribe_assets.instructions.wordings import FULL, QUESTION, REGION, describe, worded
from finscribe_assets.rendering.pages import Box, Mark, MarkKind, RenderedDocument

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


class PairRecipe(BaseModel):
    """How many pairs of each kind a document gives."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ocr_lines: int = Field(24, ge=0, description="single printed lines of fields, at most")
    questions: int = Field(2, ge=0, description="questions for a field that the document shows, at most")
    absent: int = Field(1, ge=0, description="questions for a field that the document does not show, at most")


def make_pairs(drawn: DrawnDocument, rendered: RenderedDocument, recipe: PairRecipe) -> list[Pair]:
    """Return a document's pairs; which fields and lines are asked for follows from the document's id."""
    values = readable_leaves(drawn, rendered)
    whole = tuple(range(len(rendered.pages)))
    pairs = [_pair(drawn, Task.FULL_EXTRACTION, "", whole, None, FULL, _json(unflatten(values)))]
    pairs += _regions(drawn, rendered, values)
    pairs += _tables(drawn, rendered)
    pairs += _questions(drawn, values, whole, recipe)
    pairs += _lines(drawn, rendered, recipe)
    return pairs


def printed_leaves(drawn: DrawnDocument) -> dict[str, Any]:
    """Return the canonical values that the page shows, by path in the schema's order."""
    return {path: value for path, value in flatten(drawn.document.to_json()).items() if path in drawn.printed}


def readable_leaves(drawn: DrawnDocument, rendered: RenderedDocument) -> dict[str, Any]:
    """Return the canonical values that can be read on the pages: what damage destroyed is not asked for."""
    destroyed = {mark.name for mark in rendered.of_kind(MarkKind.FIELD) if not mark.visible}
    return {path: value for path, value in printed_leaves(drawn).items() if path not in destroyed}


def unflatten(leaves: dict[str, Any]) -> dict[str, Any]:
    """Return nested JSON from leaves by path; a list's members keep their order, and close up where one is missing."""
    root: dict[str, Any] = {}
    for path, value in leaves.items():
        steps: list[str | int] = [int(index) if index else name for name, index in _STEP.findall(path)]
        node: Any = root
        for step in steps[:-1]:
            node = node.setdefault(step, {})
        node[steps[-1]] = value
    return _with_lists(root)


def _with_lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node and all(isinstance(key, int) for key in node):
        return [_with_lists(node[key]) for key in sorted(node)]
    return {key: _with_lists(value) for key, value in node.items()}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _pair(drawn: DrawnDocument, task: Task, target: str, pages: tuple[int, ...], box: Box | None,
          wordings: tuple[str, ...], response: str, **values: str) -> Pair:  # fmt: skip
    name = f"{drawn.id}/{task}/{target}" if target else f"{drawn.id}/{task}"
    element = str(element_of(target) or "")
    return Pair(name, drawn.id, pages, task, target, box, worded(wordings, name, **values), response, element)


def _regions(drawn: DrawnDocument, rendered: RenderedDocument, values: dict[str, Any]) -> list[Pair]:
    pairs = []
    fields = rendered.of_kind(MarkKind.FIELD)
    for region in rendered.of_kind(MarkKind.REGION):
        if len({part.page for part in region.fragments}) != 1:
            continue  # a block over a page break is no single image
        page, box = region.fragments[0].page, _hull([part.box for part in region.fragments])
        inside = {
            mark.name for mark in fields if all(part.page == page and _holds(box, part.box) for part in mark.fragments)
        }
        answer = {path: value for path, value in values.items() if path in inside}
        if answer:
            pairs.append(
                _pair(drawn, Task.REGION_EXTRACTION, region.name, (page,), box, REGION, _json(unflatten(answer)))
            )
    return pairs


def _hull(boxes: list[Box]) -> Box:
    hull = boxes[0]
    for box in boxes[1:]:
        hull = hull.around(box)
    return hull


def _holds(outer: Box, inner: Box, slack: float = 2.0) -> bool:
    return (inner.x0 >= outer.x0 - slack and inner.y0 >= outer.y0 - slack
            and inner.x1 <= outer.x1 + slack and inner.y1 <= outer.y1 + slack)  # fmt: skip


def _tables(drawn: DrawnDocument, rendered: RenderedDocument) -> list[Pair]:
    """One pair for each page that the line table stands on and can be read, with the rows printed there."""
    cells: dict[int, dict[int, dict[int, str | None]]] = {}
    destroyed = {part.page for mark in rendered.of_kind(MarkKind.CELL) for part in mark.fragments if not part.visible}
    for mark in rendered.of_kind(MarkKind.CELL):
        row, column, *spanned = map(int, mark.name.split(":"))
        for part in mark.fragments:
            shown = cells.setdefault(part.page, {}).setdefault(row, {})
            before = shown.get(column) if row else None
            shown[column] = f"{before} {part.text}".strip() if before else part.text
            shown |= dict.fromkeys(range(column + 1, column + sum(spanned)))  # what a merged head spans
    pairs = []
    for table in rendered.of_kind(MarkKind.TABLE):
        for part in table.fragments:
            rows = cells.get(part.page, {})
            width = max((column + 1 for row in rows.values() for column in row), default=0)
            grid: Grid = [[rows[row].get(column, "") for column in range(width)] for row in sorted(rows)]
            if grid and part.page not in destroyed:
                name = f"{table.name}:{part.page}"
                pairs.append(_pair(drawn, Task.TABLE, name, (part.page,), part.box, (TABLE_PROMPT,), to_otsl(grid)))
    return pairs


def _questions(drawn: DrawnDocument, values: dict[str, Any], pages: tuple[int, ...], recipe: PairRecipe) -> list[Pair]:
    random = Random(f"questions:{drawn.id}")
    single = [path for path in values if "[" not in path]
    absent = sorted(path for path in FIELDS if path not in UNPRINTED and path not in values and not path.startswith(
        ("lines.", "vat_breakdown.")) and path not in flatten(drawn.document.to_json()))  # fmt: skip
    shown = random.sample(single, min(recipe.questions, len(single)))
    missing = random.sample(absent, min(recipe.absent, len(absent)))
    return [
        _pair(drawn, Task.FIELD_QUESTION if path in values else Task.ABSENT_FIELD, path, pages, None, QUESTION,
              _json({path: values.get(path)}), what=describe(path), key=json.dumps(path))
        for path in (*shown, *missing)
    ]  # fmt: skip


def _lines(drawn: DrawnDocument, rendered: RenderedDocument, recipe: PairRecipe) -> list[Pair]:
    """Single printed lines: the document's own fields first, then as many of the table's as there is room for."""
    random = Random(f"lines:{drawn.id}")
    marks = [mark for mark in rendered.of_kind(MarkKind.FIELD) if mark.visible]
    own = [mark for mark in marks if not mark.name.startswith("lines[")]
    table = [mark for mark in marks if mark.name.startswith("lines[")]
    random.shuffle(own)
    random.shuffle(table)
    # At least a third is left to the table, which is most of what a document prints.
    keep = own[: max(recipe.ocr_lines * 2 // 3, recipe.ocr_lines - len(table))]
    chosen: list[tuple[Mark, int]] = [
        (mark, number) for mark in (*keep, *table) for number in range(len(mark.fragments))
    ]
    pairs = []
    for mark, number in chosen[: recipe.ocr_lines]:
        part = mark.fragments[number]
        name = f"{drawn.id}/{Task.OCR_LINE}/{mark.name}/{number}"
        pairs.append(
            Pair(
                name,
                drawn.id,
                (part.page,),
                Task.OCR_LINE,
                mark.name,
                part.box,
                OCR_PROMPT,
                part.text,
                str(element_of(mark.name) or ""),
            )
        )
    return pairs


def example_of_each_task(pairs: list[Pair]) -> list[Pair]:
    """Return the first pair of each task."""
    return list({pair.task: pair for pair in reversed(pairs)}.values())[::-1]
