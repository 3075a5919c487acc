"""Write responses as text, with spans that mark amounts, other values, table cells and structure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from finscribe_assets.documents.elements import ValueType, value_type_of
from finscribe_assets.instructions.otsl import Grid, to_otsl
from finscribe_assets.instructions.pair import Span, SpanType
from finscribe_assets.schema_mapping.key_writing import WrittenValue

AnnotatedResponse = tuple[str, tuple[Span, ...]]
"""A response and its spans, which cover it from the first character to the last without gaps."""

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_TOKEN = re.compile(r"<(?:[felux]cel|nl)>")


def unflatten(leaves: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested JSON from values by field path, the inverse of `documents.schema.flatten`.

    List members keep their order; gaps between their indices are closed.

    Example:
        >>> unflatten({"a.b": 1, "c[0].d": 2, "c[2].d": 3})
        {'a': {'b': 1}, 'c': [{'d': 2}, {'d': 3}]}
    """
    root: dict[str, Any] = {}
    for path, value in leaves.items():
        steps: list[str | int] = [int(index) if index else name for name, index in _STEP.findall(path)]
        node: Any = root
        for step in steps[:-1]:
            node = node.setdefault(step, {})
        node[steps[-1]] = value
    return _lists_from_indices(root)


def _lists_from_indices(node: Any) -> Any:
    """Turn dictionaries whose keys are list indices into lists."""
    if not isinstance(node, dict):
        return node
    if node and all(isinstance(key, int) for key in node):
        return [_lists_from_indices(node[key]) for key in sorted(node)]
    return {key: _lists_from_indices(value) for key, value in node.items()}


compact_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""Write a value as JSON without spaces, in UTF-8 characters instead of escapes."""


def json_response(value: Any) -> AnnotatedResponse:
    """Return a value as compact JSON; each scalar is a span with its field path, everything else is structure.

    A value in a user's JSON (`WrittenValue`) has the path of its field in the schema.
    """
    return annotated(_json_pieces(value, ""))


def _json_pieces(value: Any, path: str) -> Iterator[tuple[str, str | None]]:
    """Yield the pieces of a JSON text, each with the path of the field whose value it is, or None for structure."""
    if isinstance(value, WrittenValue):
        yield compact_json(value.value), value.path
    elif isinstance(value, dict):
        yield "{", None
        for number, (key, member) in enumerate(value.items()):
            yield f"{',' if number else ''}{compact_json(key)}:", None
            yield from _json_pieces(member, f"{path}.{key}" if path else key)
        yield "}", None
    elif isinstance(value, list):
        yield "[", None
        for number, member in enumerate(value):
            if number:
                yield ",", None
            yield from _json_pieces(member, f"{path}[{number}]")
        yield "]", None
    else:
        yield compact_json(value), path


def annotated(pieces: Iterator[tuple[str, str | None]]) -> AnnotatedResponse:
    """Join pieces of text; neighbouring pieces of structure become one span."""
    texts: list[str] = []
    spans: list[Span] = []
    end = 0
    for text, path in pieces:
        start, end = end, end + len(text)
        texts.append(text)
        if path is not None:
            spans.append(Span(start, end, span_type(path), path))
        elif spans and spans[-1].type is SpanType.STRUCTURE:
            spans[-1] = spans[-1]._replace(end=end)
        else:
            spans.append(Span(start, end, SpanType.STRUCTURE))
    return "".join(texts), tuple(spans)


def span_type(path: str) -> SpanType:
    """Return the span type of a field's value: financial for amounts, else value."""
    return SpanType.FINANCIAL if value_type_of(path) is ValueType.AMOUNT else SpanType.VALUE


def otsl_response(grid: Grid) -> AnnotatedResponse:
    """Return a table as OTSL; its tokens are structure, the texts between them are cells."""
    text = to_otsl(grid)
    spans, end = [], 0
    for token in _TOKEN.finditer(text):
        if token.start() > end:
            spans.append(Span(end, token.start(), SpanType.CELL))
        spans.append(Span(*token.span(), SpanType.STRUCTURE))
        end = token.end()
    return text, tuple(spans)


def verbatim_response(text: str, path: str = "") -> AnnotatedResponse:
    """Return a printed text as one span, of the field at ``path`` or of none."""
    return text, (Span(0, len(text), span_type(path), path),)
