"""Build the instruction pairs of a real document: tasks that need no boxes, and lines where a person located them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from finscribe_assets.documents.elements import FIELDS
from finscribe_assets.documents.schema import Document, DocumentType
from finscribe_assets.importing.printed_lines import CutLine
from finscribe_assets.instructions.field_names import FieldQuestion
from finscribe_assets.instructions.pair import OCR_PROMPT, Pair, Task
from finscribe_assets.instructions.pair_building import build_pair, choose, random_for
from finscribe_assets.instructions.responses import compact_json, json_response, unflatten, verbatim_response
from finscribe_assets.schema_mapping.key_writing import (
    DocumentValues,
    WrittenValue,
    structure,
    write_document,
    write_value,
)
from finscribe_assets.schema_mapping.mapping import SchemaMapping

MAX_FIELD_QUESTIONS = 3  # per document


class UserKeys(NamedTuple):
    """A user's keys, and the values of a document as the user's JSON has them, by path."""

    mapping: SchemaMapping
    written: Mapping[str, str]

    def response(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the user's JSON of values; empty if it has none of them."""
        return write_document(self.mapping, DocumentValues(values, self.written))

    def member(self, path: str, value: Any) -> tuple[str, Any]:
        """Return the key and the value of a field that the mapping has."""
        key = self.mapping.scored_fields[path]
        return key.key, WrittenValue(write_value(key, DocumentValues({path: value}, self.written), path), path)


def build_real_pairs(
    document_id: str,
    document: Document,
    printed: dict[str, Any],
    determined: dict[str, Any],
    pages: int,
    keys: UserKeys | None = None,
    lines: Sequence[CutLine] = (),
) -> list[Pair]:
    """Build a document's pairs: full extraction, document type, up to three field questions, and located lines.

    Args:
        document_id: The document's id; it determines which fields are asked for.
        document: The document's values; its type and locale determine how fields are named.
        printed: Values that the pages print, by field path.
        determined: Values that they determine otherwise, such as the currency; full extraction has them too.
        pages: Number of pages.
        keys: A user's keys, in which the pairs are; None for those of the schema.
        lines: Printed lines of known place and text.

    Returns:
        The pairs; none if no value is known to be printed.
    """
    if not printed:
        return []
    all_pages = tuple(range(pages))
    # A partial ground truth need not state the type, which only decides between names of fields.
    question_type = document.document_type or DocumentType.INVOICE
    outside_lists = [path for path in printed if "[" not in path and path in FIELDS]
    if keys is not None:
        outside_lists = [path for path in outside_lists if path in keys.mapping.scored_fields]
    chosen = choose(outside_lists, MAX_FIELD_QUESTIONS, random_for(document_id, Task.FIELD_QUESTION))
    members = {path: keys.member(path, printed[path]) if keys else (path, printed[path]) for path in chosen}
    whole = keys.response(determined | printed) if keys else unflatten(determined | printed)
    structure_shown = compact_json(structure(keys.mapping, keys.mapping.labelled_fields)) if keys else ""
    return [
        *(
            [
                build_pair(
                    document_id,
                    Task.FULL_EXTRACTION,
                    json_response(whole),
                    pages=all_pages,
                    structure=structure_shown,
                )
            ]
            if whole
            else []
        ),
        *(
            build_pair(
                document_id,
                Task.DOCUMENT_TYPE,
                json_response({"document_type": str(document_type)}),
                pages=all_pages[:1],
                target="document_type",
                kinds=", ".join(DocumentType),
            )
            for document_type in (document.document_type,)
            if document_type is not None
        ),
        *(
            build_pair(
                document_id,
                Task.FIELD_QUESTION,
                json_response(dict([members[path]])),
                pages=all_pages,
                target=path,
                question=FieldQuestion(path, question_type, document.locale),
                key=compact_json(members[path][0]),
            )
            for path in chosen
        ),
        *(
            build_pair(
                document_id,
                Task.OCR_LINE,
                verbatim_response(line.text, line.path),
                pages=(line.page,),
                target=line.path,
                box=line.box,
                prompt=OCR_PROMPT,
                id_parts=[line.number],
            )
            for line in lines
        ),
    ]
