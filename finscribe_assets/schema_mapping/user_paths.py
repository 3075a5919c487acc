"""Paths in a user's JSON: the part of JSONPath that can be read and written.

A path names one value, or one value of each item of a list: ``total.price``, ``$.menu[*].nm``, ``parties[0].name``,
``['Invoice No.']``. Filters, slices and recursive descent are left out on purpose: a response is written with the same
paths as it is read with, and where a value found by a filter would have to be put, nobody can tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from finscribe_assets.errors import UserError

Step = str | int | None
"""A member's name, a position from 0, or None for each item of a list."""

_TOKEN = re.compile(
    r"""\.?(?P<name>[^.\[\]'"*?@()$\s](?:[^.\[\]'"*?@()$]*[^.\[\]'"*?@()$\s])?)
      | \[(?P<index>\d{1,6})\]
      | (?P<each>\[\*\])
      | \[(?P<quoted>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\]""",
    re.VERBOSE,
)
_PLAIN_NAME = re.compile(r"[^.\[\]'\"*?@()$\s](?:[^.\[\]'\"*?@()$]*[^.\[\]'\"*?@()$\s])?")
_MAX_LENGTH = 500  # characters of a path
MAX_POSITION = 999  # of a list, that a mapping may name


@dataclass(frozen=True)
class UserPath:
    """A path in a user's JSON."""

    steps: tuple[Step, ...]

    @classmethod
    def parse(cls, text: str) -> UserPath:
        """Parse a path such as ``menu[*].nm``; a leading ``$.`` may be left out.

        Raises:
            UserError: the text is not such a path.
        """
        body = text.strip()
        body = body.removeprefix("$") if body.startswith(("$.", "$[")) else body
        steps: list[Step] = []
        position = 0
        while position < len(body) <= _MAX_LENGTH:
            token = _TOKEN.match(body, position)
            if token is None or (token["name"] and steps and token[0][0] != "."):
                break
            if token["index"]:
                steps.append(int(token["index"]))
            elif token["each"]:
                steps.append(None)
            else:
                steps.append(token["name"] or re.sub(r"\\(.)", r"\1", token["quoted"][1:-1]))
            position = token.end()
        if not steps or position < len(body):
            raise UserError(
                f"{text[:80]!r} is not a path: write names with dots, [*] for each item of a list and [0] for one "
                "item, such as total.price or menu[*].nm; a name with other signs is quoted, as in ['Invoice No.']"
            )
        return cls(tuple(steps))

    def __str__(self) -> str:
        """Return the path as text that `parse` reads."""
        text = ""
        for step in self.steps:
            if step is None:
                text += "[*]"
            elif isinstance(step, int):
                text += f"[{step}]"
            elif _PLAIN_NAME.fullmatch(step):
                text += f".{step}" if text else step
            else:
                escaped = step.replace("\\", "\\\\").replace("'", "\\'")
                text += f"['{escaped}']"
        return text

    @property
    def list_prefix(self) -> tuple[Step, ...] | None:
        """Return the steps to the list whose items the path names; None if it names a single value."""
        return self.steps[: self.steps.index(None)] if None in self.steps else None

    @property
    def names_items(self) -> bool:
        """Tell whether the items themselves are the values, as in ``prices[*]``."""
        return bool(self.steps) and self.steps[-1] is None

    @property
    def first_name(self) -> str:
        """Return the name of the outermost member."""
        return next((step for step in self.steps if isinstance(step, str)), "")

    def find(self, document: Any) -> Iterator[tuple[int, Any]]:
        """Yield the values at the path, each with the position of its item; 0 for a single value.

        A list of one item is often written without its brackets, so that an object in its place is its only item.
        """
        prefix = self.list_prefix
        if prefix is None:
            yield from ((0, value) for value in _at(document, self.steps))
            return
        for items in _at(document, prefix):
            for position, item in enumerate(items if isinstance(items, list) else [items]):
                yield from ((position, value) for value in _at(item, self.steps[len(prefix) + 1 :]))

    def match(self, other: UserPath) -> int | None:
        """Return the position of the item if ``other`` is this path with a position for ``[*]``; else None."""
        if len(self.steps) != len(other.steps):
            return None
        position = 0
        for own, given in zip(self.steps, other.steps, strict=True):
            if own is None and isinstance(given, int):
                position = given
            elif own != given:
                return None
        return position

    def place(self, document: dict[str, Any], position: int, value: Any) -> None:
        """Put a value into a document; objects and lists on the way are made.

        Args:
            document: the document.
            position: of the item, where the path names one of each item.
            value: the value.
        """
        steps: list[str | int] = [position if step is None else step for step in self.steps]
        node: Any = document
        for step, following in zip(steps, [*steps[1:], None], strict=True):
            if following is None:
                _put(node, step, value)
            else:
                empty: Any = [] if isinstance(following, int) else {}
                node = _member(node, step, empty)


def _at(node: Any, steps: tuple[Step, ...]) -> Iterator[Any]:
    for step in steps:
        is_item = isinstance(step, int) and isinstance(node, list) and step < len(node)
        is_member = isinstance(step, str) and isinstance(node, dict) and step in node
        if not is_item and not is_member:
            return
        node = node[step]
    yield node


def _member(node: Any, step: str | int, empty: Any) -> Any:
    if isinstance(step, str):
        return node.setdefault(step, empty)
    _fill(node, step)
    if node[step] is None:
        node[step] = empty
    return node[step]


def _put(node: Any, step: str | int, value: Any) -> None:
    if isinstance(step, int):
        _fill(node, step)
    node[step] = value


def _fill(items: list[Any], position: int) -> None:
    items.extend([None] * (position + 1 - len(items)))
