"""Where the lines of a value may end, and the text on each of its lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate, pairwise

from finscribe_assets.documents.elements import ValueType, value_type_of
from finscribe_assets.rendering.font_faces import shaped_width

SPACED_WORDS = re.compile(r"[^ ]+")
# In scripts without spaces a line may end after any letter, but not inside a run of ASCII such as a Latin word.
LETTERS_OR_ASCII_RUNS = re.compile(r"[!-~]+|[^\s!-~]")
EMAIL_PARTS = re.compile(r"[^@.]+[@.]?")
UNSPACED_LANGUAGES = ("ja", "zh")
UNBREAKABLE_TYPES = (ValueType.AMOUNT, ValueType.DATE, ValueType.TIME)


def unbroken(text: str, language: str, path: str = "") -> list[str]:
    """Split a text into the pieces that must each stand on one line.

    Args:
        text: the printed text.
        language: ISO 639-1 code; Japanese and Chinese break between any two letters.
        path: the field's path, empty for other texts. Amounts and dates are never broken, email addresses only after
            ``@`` and ``.``.

    Returns:
        The pieces in order, without the spaces between them.
    """
    if path and value_type_of(path) in UNBREAKABLE_TYPES:
        return [text]
    if path.endswith("email"):
        return EMAIL_PARTS.findall(text)
    return (LETTERS_OR_ASCII_RUNS if language in UNSPACED_LANGUAGES else SPACED_WORDS).findall(text)


def pieces_of(text: str, language: str, path: str) -> list[tuple[str, str]]:
    """Return the pieces of a field's text between which lines may end, each with the space before it.

    Joining all spaces and pieces gives the text again; see `unbroken` for the arguments.
    """
    pieces, end = [], 0
    for piece in unbroken(text, language, path):
        start = text.index(piece, end)
        pieces.append((text[end:start], piece))
        end = start + len(piece)
    return pieces


def texts_of_lines(pieces: Sequence[tuple[str, str]], widths: Sequence[float], family: str) -> list[str]:
    """Derive the text on each line of a wrapped value from the widths of the lines.

    Of all ways to divide the pieces into lines, choose the one whose widths in the given font are nearest to the
    measured ones, by least squares. Font size and weight do not matter: they scale all lines alike.

    Args:
        pieces: space and text of each piece, as `pieces_of` returns them.
        widths: measured width of each line, in any unit.
        family: font family of the value.

    Returns:
        The text of each line.

    Raises:
        ValueError: there are more lines than pieces.
    """
    count, lines = len(pieces), len(widths)
    if lines > count:
        text = "".join(space + piece for space, piece in pieces)
        raise ValueError(f"{lines} lines for a text of {count} pieces: {text!r}")
    spaces = [shaped_width(space, family) if space else 0.0 for space, _ in pieces]
    ends = [0.0, *accumulate(shaped_width(space + piece, family) for space, piece in pieces)]
    unit = sum(widths) / ends[-1]
    # best[k][n]: the least error of the first n pieces on k lines, and the index of the piece that begins line k.
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
    spans = pairwise(reversed(cuts))
    return ["".join(space + piece for space, piece in pieces[first:last]).strip() for first, last in spans]
