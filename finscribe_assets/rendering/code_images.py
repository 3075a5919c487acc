"""QR codes and bar codes as SVG, which both engines print as vectors."""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby

import segno
from barcode.codex import Code128
from barcode.ean import EuropeanArticleNumber13
from markupsafe import Markup

_SWISS_CROSS = 7.0 / 46  # side of the cross in the middle of a Swiss QR code, as a share of the code's


@lru_cache(maxsize=16)  # a document with a payment slip is laid out twice; a code takes as long as the rest of its HTML
def qr_code(text: str, millimetres: float) -> Markup:
    """Return a QR code of a text (error correction M), with a Swiss cross in its middle for a Swiss bill.

    Args:
        text: what it encodes.
        millimetres: the length of its sides, without a quiet zone.
    """
    rows = segno.make(text, error="m", micro=False, encoding="utf-8").matrix
    size = len(rows)
    path = "".join(
        f"M{column} {number}h{length}v1h-{length}z"
        for number, row in enumerate(rows)
        for column, length in _dark_runs(tuple(bool(module) for module in row))
    )
    return _svg(path, size, size, millimetres, millimetres, _cross(size) if text.startswith("SPC\n") else "")


def bar_code(text: str, millimetres: float, height: float) -> Markup:
    """Return a Code 128 bar code of a text of ASCII characters.

    Args:
        text: what it encodes.
        millimetres: its length.
        height: its height in millimetres.
    """
    (modules,) = Code128(text).build()
    runs = _dark_runs(tuple(module == "1" for module in modules))
    path = "".join(f"M{column} 0h{length}v1h-{length}z" for column, length in runs)
    return _svg(path, len(modules), 1, millimetres, height)


@lru_cache(maxsize=512)
def ean_code(number: str, length: float, height: float) -> Markup:
    """Return the EAN-13 bar code of an article number (GTIN-13), without its digits.

    Args:
        number: thirteen digits, the last of which is the check digit.
        length: its length in em, so that it is as long as the digits below it in type of any size.
        height: its height in em.
    """
    (modules,) = EuropeanArticleNumber13(number).build()
    runs = _dark_runs(tuple(module == "1" for module in modules))
    path = "".join(f"M{column} 0h{length}v1h-{length}z" for column, length in runs)
    return _svg(path, len(modules), 1, length, height, unit="em")


def _dark_runs(modules: tuple[bool, ...]) -> list[tuple[int, int]]:
    """Return the start and the length of each run of dark modules."""
    runs, position = [], 0
    for is_dark, run in groupby(modules):
        length = len(list(run))
        if is_dark:
            runs.append((position, length))
        position += length
    return runs


def _cross(size: int) -> str:
    side = size * _SWISS_CROSS
    start, arm, width = (size - side) / 2, side * 0.62, side * 0.19
    middle = size / 2
    return (
        f'<rect x="{start:.2f}" y="{start:.2f}" width="{side:.2f}" height="{side:.2f}" fill="#000" stroke="#fff" '
        f'stroke-width="{side * 0.08:.2f}"/>'
        f'<rect x="{middle - arm / 2:.2f}" y="{middle - width / 2:.2f}" width="{arm:.2f}" height="{width:.2f}" '
        f'fill="#fff"/>'
        f'<rect x="{middle - width / 2:.2f}" y="{middle - arm / 2:.2f}" width="{width:.2f}" height="{arm:.2f}" '
        f'fill="#fff"/>'
    )


def _svg(
    path: str, columns: int, rows: int, width: float, height: float, more: str = "", *, unit: str = "mm"
) -> Markup:
    size = f"width: {width:.2f}{unit}; height: {height:.2f}{unit}"
    return Markup(  # noqa: S704, made of numbers
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {columns} {rows}" preserveAspectRatio="none" '
        f'width="{width:.2f}{unit}" height="{height:.2f}{unit}" style="{size}"><path d="{path}" fill="#000"/>'
        f"{more}</svg>"
    )
