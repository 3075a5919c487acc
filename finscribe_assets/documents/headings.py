"""The head of a page, as a habit of its vendor: which blocks stand where above the table, aligned and framed how.

A head is drawn without regard to the template family: a family is a table and what stands below it, so a reader cannot
tell it from the head. `rendering/templates/heading.html` prints heads.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Block = Literal["title", "logo", "issuer", "recipient", "header"]
Align = Literal["start", "middle", "end"]
Frame = Literal["none", "boxes", "rule", "rules", "band"]


class HeadingCell(BaseModel):
    """Blocks that stand below each other in a column of a row."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    blocks: tuple[Block, ...]
    share: float = Field(ge=0.2, le=1, description="share of the row's width")
    align: Align = "start"


class HeadingRow(BaseModel):
    """Cells side by side."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cells: tuple[HeadingCell, ...]
    frame: Frame = Field("none", description="boxes around cells, a rule below, rules above and below, or a tint")
    gap: float = Field(4.0, ge=0, le=20, description="space below the row in millimetres")


USUAL_ROWS = (
    HeadingRow(
        cells=(
            HeadingCell(blocks=("logo", "issuer"), share=0.54),
            HeadingCell(blocks=("title", "header"), share=0.46),
        )
    ),
    HeadingRow(cells=(HeadingCell(blocks=("recipient",), share=1.0),)),
)


class Heading(BaseModel):
    """The head of a vendor's documents."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: tuple[HeadingRow, ...] = USUAL_ROWS
    facts: Literal["list", "run", "above", "halves", "grid", "boxes"] = Field(
        "list", description="arrangement of numbers and dates"
    )
    grid: int = Field(3, ge=2, le=5, description="most cells in a row of a grid")
    issuer_caption: bool = Field(False, description="whether the issuer has a caption, as the recipient has")
    recipient_caption: bool = Field(True, description="whether the recipient has one")
    window: bool = Field(False, description="whether the recipient stands in an address window below the sender's line")
    title_frame: Literal["none", "tint", "rule", "box"] = Field("none", description="frame of the title")
    identifiers_in_foot: bool = Field(
        False, description="whether the issuer's registrations and contacts stand in columns at the end of the page"
    )
    third_parties: Literal["below", "row"] = Field(
        "row", description="whether consignee and payee stand below the recipient or in a row of their own"
    )


# How often each block comes first, and the weights of other choices.
_FIRST: dict[Block, float] = {"title": 5, "issuer": 6, "recipient": 0.7, "header": 1}
_ORDERED_CHANCE = 0.5  # of the rest in its common order: issuer, recipient, header
_JOINS = {"row": 4, "beside": 4, "below": 2}  # a new row, a new cell of the row, or the same cell
_FRAMES: dict[Frame, float] = {"none": 6, "boxes": 2, "rule": 1.5, "rules": 0.7, "band": 0.8}
_ALIGNS: dict[Align, float] = {"start": 5, "middle": 1, "end": 2.5}
_FACTS = {"list": 4, "run": 1.5, "above": 2, "halves": 1.5, "grid": 2, "boxes": 1.5}
_TITLE_FRAMES = {"none": 7, "tint": 1.5, "rule": 1, "box": 0.7}
_LOGO_PLACES = {"issuer": 4, "first": 2, "title": 1.5, "top": 1.5}
_FOOT_CHANCE = 0.3
_WINDOW_CHANCE, _UNCAPTIONED_CHANCE, _ISSUER_CAPTION_CHANCE = 0.25, 0.3, 0.35
_MAX_CELLS, _MAX_STACK = 3, 3
_MIN_SHARE, _MIN_SHARE_OF_THREE = 0.36, 0.3
WIDE_FACTS = ("halves", "grid", "boxes")  # arrangements that need most of a row's width


def draw_heading(seed: str) -> Heading:
    """Draw a head; the same seed gives the same head."""
    random = Random(f"heading:{seed}")

    def choice(weights: Mapping[Any, float]) -> Any:
        return random.choices(list(weights), list(weights.values()))[0]

    facts = choice(_FACTS)
    columns = _join_blocks(random, _order_blocks(random), facts)
    _place_logo(random, columns, choice(_LOGO_PLACES))
    rows = []
    for cells in columns:
        shares = _draw_shares(random, cells, facts)
        aligns = [choice(_ALIGNS) if cell != ["header"] or facts in ("list", "run") else "start" for cell in cells]
        if len(cells) > 1 and aligns[0] == "end":
            aligns[0] = "start"  # it would run into the next cell
        rows.append(
            HeadingRow(
                cells=tuple(
                    HeadingCell(blocks=tuple(cell), share=share, align=align)
                    for cell, share, align in zip(cells, shares, aligns, strict=True)
                ),
                frame="none" if cells == [["logo"]] else choice(_FRAMES),
                gap=round(random.uniform(1.5, 9), 1),
            )
        )
    window = random.random() < _WINDOW_CHANCE
    return Heading(
        rows=tuple(rows),
        facts=facts,
        grid=random.randint(3, 5),
        issuer_caption=random.random() < _ISSUER_CAPTION_CHANCE,
        recipient_caption=not window and random.random() >= _UNCAPTIONED_CHANCE,
        window=window,
        title_frame=choice(_TITLE_FRAMES),
        identifiers_in_foot=random.random() < _FOOT_CHANCE,
        third_parties=random.choice(("below", "row")),
    )


def _order_blocks(random: Random) -> list[Block]:
    first = random.choices(list(_FIRST), list(_FIRST.values()))[0]
    rest: list[Block] = [block for block in ("issuer", "recipient", "header", "title") if block != first]
    if random.random() >= _ORDERED_CHANCE:
        random.shuffle(rest)
    elif "title" in rest:  # most titles stand just above or beside the numbers and dates, or below the parties
        rest.remove("title")
        rest.insert(rest.index("header") if "header" in rest else random.randint(0, len(rest)), "title")
    return [first, *rest]


def _join_blocks(random: Random, blocks: list[Block], facts: str) -> list[list[list[Block]]]:
    """Divide blocks into rows of cells of blocks."""
    rows: list[list[list[Block]]] = [[[blocks[0]]]]
    for block in blocks[1:]:
        cells = rows[-1]
        join = random.choices(list(_JOINS), list(_JOINS.values()))[0]
        has_wide = facts in WIDE_FACTS and (block == "header" or any("header" in cell for cell in cells))
        most = 2 if has_wide else _MAX_CELLS
        if join == "beside" and len(cells) < most:
            cells.append([block])
        elif join == "below" and len(cells[-1]) < _MAX_STACK:
            cells[-1].append(block)
        else:
            rows.append([[block]])
    return rows


def _place_logo(random: Random, rows: list[list[list[Block]]], place: str) -> None:
    if place == "top":
        rows.insert(0, [["logo"]])
    elif place == "first" and len(rows[0]) < _MAX_CELLS:
        rows[0].insert(random.choice((0, len(rows[0]))), ["logo"])
    else:
        beside: Block = "title" if place == "title" else "issuer"
        cell = next(cell for cells in rows for cell in cells if beside in cell)
        cell.insert(cell.index(beside), "logo")


def _draw_shares(random: Random, cells: list[list[Block]], facts: str) -> list[float]:
    """Draw the cells' shares of the row's width."""
    if len(cells) == 1:
        return [1.0]
    if len(cells) == _MAX_CELLS:
        low, high = _MIN_SHARE_OF_THREE, 1 - 2 * _MIN_SHARE_OF_THREE
        first = round(random.uniform(low, high), 3)
        second = round(random.uniform(low, 1 - low - first), 3)
        return [first, second, round(1 - first - second, 3)]
    low, high = _MIN_SHARE, 1 - _MIN_SHARE
    if facts in WIDE_FACTS and "header" in cells[0]:
        low = 0.56
    elif facts in WIDE_FACTS and "header" in cells[1]:
        high = 0.44
    if cells[0] == ["logo"] or cells[0] == ["title"]:
        high = max(low, min(high, 0.5))
    first = round(random.uniform(low, high), 3)
    return [first, round(1 - first, 3)]
