"""Parse the lines ``path = value`` in which people state values that have no place on a page."""

from __future__ import annotations

import re

from finscribe_assets.documents.elements import FIELDS, LIST_FIELDS, field_of
from finscribe_assets.errors import UserError
from finscribe_assets.opening.input_limits import escape_unprintable

_PATH = re.compile(r"([a-z_]+)(?:\[(\d{1,4})\])?((?:\.[a-z_]+)*)")


def split_path(path: str) -> tuple[str, int | None]:
    """Return the field of a path, and its position in a list or None.

    Raises:
        UserError: the schema has no such path.
    """
    match = _PATH.fullmatch(path)
    if match is None or field_of(path) not in FIELDS or (match[2] is not None) != (match[1] in LIST_FIELDS):
        shown = escape_unprintable(path)[:60]
        raise UserError(f"{shown!r} is no field of the schema; write one such as seller.name or lines[0].net_amount")
    return field_of(path), None if match[2] is None else int(match[2])


def parse_value_line(line: str) -> tuple[str, int | None, str]:
    """Return the field, the position in its list, and the value of a line such as ``lines[0].unit_code = C62``.

    Raises:
        UserError: the line has no ``=``, or the schema has no such path.
    """
    path, equals, text = line.partition("=")
    if not equals:
        raise UserError(f"{escape_unprintable(line)[:60]!r} has no `=`; write path = value")
    return (*split_path(path.strip()), text.strip())
