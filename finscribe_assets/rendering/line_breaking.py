"""Where the lines of a value may end, and what stands on each of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate, pairwise

from finscribe_assets.documents.elements import ValueType, value_type_of
from finscribe_assets.errors import UserError
from finscribe_assets.rendering.font_faces import shaped_width

WORDS = re.compile(r"[^ ]+")
LETTERS = re.compile(r"[!-~]+|[^\s!-~]")  # of scripts without spaces: a letter each, and words of Latin ones
MAIL_PARTS = re.compile(r"[^@.]+[@.]?")
UNSPACED_LANGUAGES = ("ja", "zh")
ON_ONE_LINE = (ValueType.AMOUNT, ValueType.DATE)


def unbroken(text: str, language: str, path: str = "") -> list[str]:
    """Return what of a text stands on one line; ``path`` is the field's.

    These are words, the parts of a mail address, whole amounts and dates, or the letters of a language that breaks
    between any two.
    """
    if path and value_type_of(path) in ON_ONE_LINE:
        return [text]
    if path.endswith("email"):
        return MAIL_PARTS.findall(text)
    return (LETTERS if language in UNSPACED_LANGUAGES else WORDS).findall(text)


def pieces_of(text: str, language: str, path: str) -> list[tuple[str, str]]:
    """Return the pieces of a field's text that lines may end between, each with the space before it."""
    found, end = [], 0
    for piece in unbroken(text, language, path):
        start = text.index(piece, end)
        found.append((text[end:start], piece))
        end = start + len(piece)
    return found


def texts_of_lines(pieces: Sequence[tuple[str, str]], widths: Sequence[float], family: str) -> list[str]:
    """Return what stands on each of a text's lines, from the lines' widths, in any unit.

    Of all ways to divide the pieces it takes the one whose widths in that font are nearest, by least squares; their
    size, and whether they are bold, is the same on all lines and so plays no part.

    Raises:
        UserError: there are more lines than pieces.
    """
    count, lines = len(pieces), len(widths)
    if lines > count:
        text = "".join(space + piece for space, piece in pieces)
        raise UserError(f"{lines} lines for a text of {count} pieces: {text!r}")
    spaces = [shaped_width(space, family) if space else 0.0 for space, _ in pieces]
    ends = [0.0, *accumulate(shaped_width(space + piece, family) for space, piece in pieces)]
    unit = sum(widths) / ends[-1]
    # best[k][n]: the least error of the first n pieces on k lines, and where the last of these lines begins.
    best: list[dict[int, tuple[float, int]]] = [{0: (0.0, 0)}]
    for line, width in enumerate(widths, 1):
        best.append(
            {
                last: min(
                    (error + ((ends[last] - ends[first] - spaces[first]) * unit - width) ** 2, first)
                    for first, (error, _) in best[-1].items()
                    if first < last
                )
                for last in range(line, count - (lines - line) + 1)
            }
        )
    cuts = [count]
    for row in reversed(best[1:]):
        cuts.append(row[cuts[-1]][1])
    parts = pairwise(reversed(cuts))
    return ["".join(space + piece for space, piece in pieces[first:last]).strip() for first, last in parts]
