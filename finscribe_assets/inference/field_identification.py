"""Identify the fields of a document among the lines and tables that were read on its pages.

What belongs here: putting together what labels (`label_assignment`), tables of lines (`line_tables`) and tables that a
layout found (`line_items`) identify, each value with the evidence for it and, where lines have boxes, its boxes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from finscribe_assets.documents.elements import field_of
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.inference.assignment_confidence import (
    assignment_confidence,
    assignment_features,
    coefficients_of,
)
from finscribe_assets.inference.assignment_evidence import AssignmentEvidence, Source, check_sums
from finscribe_assets.inference.currency_reading import find_currencies
from finscribe_assets.inference.label_assignment import NOT_FOUND, assign_fields
from finscribe_assets.inference.line_items import extract_line_items
from finscribe_assets.inference.line_tables import begins_with_total, find_tables
from finscribe_assets.inference.lone_dates import find_lone_date
from finscribe_assets.inference.party_blocks import find_parties
from finscribe_assets.inference.tax_lines import TAX_FIELDS, find_tax_lines
from finscribe_assets.inference.tax_rows import find_tax_rows
from finscribe_assets.inference.text_spans import LineSpan, TextLine, joined_text
from finscribe_assets.inference.till_items import find_till_items
from finscribe_assets.model.decoded_text import lowest_confidence
from finscribe_assets.rendering.located_boxes import LocatedBox, locate

_TOTALS = ("totals.total_with_vat", "totals.amount_due")
_RECEIPT_SHAPE = 1.6  # height to width; pages of ISO 216 have 1.41


@dataclass(frozen=True)
class IdentifiedField:
    """A field's value, and where it was read.

    Attributes:
        text: as printed; the document type is one of `DocumentType`.
        confidence: probability that the value is right, by `assignment_confidence`; None if that of a line is unknown.
        reading_confidence: the reader's confidence in its characters, the lowest of its lines; None if it is unknown.
        evidence: for the assignment to the field.
        source: index of its first line or table among all that were read, from 0.
        boxes: of its parts; empty if it was read in a block of several lines or in a whole table.
    """

    text: str
    confidence: float | None
    reading_confidence: float | None
    evidence: AssignmentEvidence
    source: int
    boxes: tuple[LocatedBox, ...] = ()


@dataclass(frozen=True)
class IdentifiedFields:
    """The fields of one document that were identified.

    Attributes:
        locale: of the labels.
        fields: by path.
        not_assigned: the remaining fields of the schema, by the reason.
    """

    locale: str
    fields: Mapping[str, IdentifiedField]
    not_assigned: Mapping[str, Sequence[str]]


def identify_fields(
    read: Sequence[TextLine],
    is_table: Sequence[bool],
    page_sizes: Sequence[tuple[int, int]],
    locale: str | None = None,
    *,
    boxes_are_lines: bool = True,
    reader: str = "",
) -> IdentifiedFields:
    """Identify fields among the texts of a document's boxes.

    Args:
        read: what was read of each box, in reading order; a table's text is OTSL, a block's has line ends.
        is_table: whether a layout found a table in each box.
        page_sizes: width and height of each page in pixels.
        locale: of the labels that identify fields; detected unless given.
        boxes_are_lines: whether each box that is not a table holds one line. If not, no value gets a box.
        reader: identity of the reader, which decides what its confidence is worth; empty if it is unknown.
    """
    tables = [index for index, table in enumerate(is_table) if table]
    # A block's text has several printed lines; only a label and a value on the same line belong together.
    sources, lines = [], []
    for index, block in enumerate(read):
        for text in [] if is_table[index] else block.text.split("\n"):
            sources.append(index)
            lines.append(replace(block, text=text))
    assignment = assign_fields(lines, locale)
    in_tables = find_tables(lines, assignment.locale) if boxes_are_lines else None
    tax_lines: dict[str, LineSpan] = {}
    if in_tables is not None:
        tax_lines = find_tax_lines(lines, in_tables.lines)
        known_lines = in_tables.lines | {span.line for span in tax_lines.values()}
        tax_rows = find_tax_rows(lines, known_lines, len(tax_lines) // len(TAX_FIELDS))
        tax_lines |= tax_rows.cells
        in_tables.lines |= tax_rows.lines
        if in_tables.lines:
            assignment = assign_fields(lines, assignment.locale, in_tables.lines)
    spans: dict[str, list[LineSpan]] = {field.path: [field.span] for field in assignment.fields}
    evidence = {field.path: field.evidence for field in assignment.fields}
    if in_tables is not None:
        # A label inside a table, such as a column's, identifies nothing outside it.
        spans = {path: parts for path, parts in spans.items() if parts[0].line not in in_tables.lines}
        title = next((field.text for field in assignment.fields if field.path == "document_type"), None)
        used = in_tables.lines | {field.line for field in assignment.fields}
        parties = find_parties(lines, assignment.locale, DocumentType(title) if title else None, used)
        if not in_tables.cells and _is_receipt(title, page_sizes, spans):
            amount = next((spans[path][0] for path in _TOTALS if path in spans), None)
            labels = {index for index, line in enumerate(lines) if begins_with_total(line.text, assignment.locale)}
            heads = {span.line for span in parties.spans.values()}
            items = find_till_items(lines, amount, labels, heads) if amount else []
            for number, cells in enumerate(items):
                in_tables.cells |= {f"lines[{number}].{name}": parts for name, parts in cells.items()}
            in_tables.similarities |= dict.fromkeys(in_tables.cells, 1.0)
        if "issue_date" not in spans and (date := find_lone_date(lines, used | set(tax_rows.lines))):
            spans["issue_date"], evidence["issue_date"] = [date], AssignmentEvidence(Source.POSITION)
        others = {**parties.spans, **tax_lines}
        evidence = {
            **{path: _evidence_of_party(path, parties.captioned) for path in parties.spans},
            **dict.fromkeys(tax_lines, AssignmentEvidence(Source.TAX_LINE)),
            **{path: evidence[path] for path in spans},
            **{path: AssignmentEvidence(Source.TABLE, like) for path, like in in_tables.similarities.items()},
        }
        spans = {path: [span] for path, span in others.items()} | spans | in_tables.cells
    texts = {field.path: field.text for field in assignment.fields}

    def located(parts: Sequence[LineSpan]) -> tuple[LocatedBox, ...]:
        if not boxes_are_lines:
            return ()
        return tuple(
            locate(lines[part.line].page, part.box(lines), page_sizes[lines[part.line].page]) for part in parts
        )

    found = {
        path: _Value(
            texts.get(path) or joined_text(lines, parts),
            lowest_confidence(lines[part.line].confidence for part in parts),
            evidence[path],
            sources[parts[0].line],
            located(parts),
        )
        for path, parts in spans.items()
    }
    for path, cell in extract_line_items([read[index].text for index in tables], locale).items():
        by_head = AssignmentEvidence(Source.BLOCK_TABLE)
        found[path] = _Value(cell.text, read[tables[cell.table]].confidence, by_head, tables[cell.table])
    for path, currency in find_currencies({path: value.text for path, value in found.items()}, locale).items():
        # It follows from other values, so that it has no box of its own.
        confidence = lowest_confidence(found[source].confidence for source in currency.sources)
        derived = AssignmentEvidence(Source.DERIVED)
        found[path] = _Value(currency.code, confidence, derived, found[currency.sources[0]].source)
    fields = _with_confidence(found, coefficients_of(reader))
    known = {field_of(path) for path in fields}
    not_assigned = {
        reason: [path for path in paths if path not in known] for reason, paths in assignment.not_assigned.items()
    }
    # What a label seemed to identify inside a table was not found.
    dropped = [field.path for field in assignment.fields if field.path not in known]
    not_assigned[NOT_FOUND] = [*not_assigned.get(NOT_FOUND, ()), *dropped]
    remaining = {reason: paths for reason, paths in not_assigned.items() if paths}
    return IdentifiedFields(assignment.locale, fields, remaining)


def _is_receipt(title: str | None, page_sizes: Sequence[tuple[int, int]], known: Collection[str]) -> bool:
    """Tell whether a document is a receipt: by its title or, if it has none, the change or the shape of its page."""
    if title or len(page_sizes) != 1:
        return title == DocumentType.RECEIPT
    if "totals.tendered_amount" in known:
        return True
    width, height = page_sizes[0]
    return height > _RECEIPT_SHAPE * width


class _Value(NamedTuple):
    """A value, the reader's confidence in it, the evidence for it, its first line and its boxes."""

    text: str
    confidence: float | None
    evidence: AssignmentEvidence
    source: int
    boxes: tuple[LocatedBox, ...] = ()


def _evidence_of_party(path: str, captioned: Collection[str]) -> AssignmentEvidence:
    return AssignmentEvidence(Source.CAPTION if path.split(".", maxsplit=1)[0] in captioned else Source.POSITION)


def _with_confidence(values: Mapping[str, _Value], coefficients: Mapping[str, float]) -> dict[str, IdentifiedField]:
    """Return the values with the probability that they are right, for which the sums of all amounts count."""
    sums = check_sums({path: value.text for path, value in values.items()})
    fields = {}
    for path, (text, reading, evidence, source, boxes) in values.items():
        confidence = None
        if reading is not None:
            features = assignment_features(path, text, reading, evidence, sums)
            confidence = round(assignment_confidence(features, coefficients), 4)
        fields[path] = IdentifiedField(text, confidence, reading, evidence, source, boxes)
    return fields
