"""Build the instruction pairs of a real document: the tasks that need no boxes, as real pages have none."""

from __future__ import annotations

from typing import Any

from finscribe_assets.documents.schema import Document, DocumentType
from finscribe_assets.instructions.field_names import FieldQuestion
from finscribe_assets.instructions.pair import Pair, Task
from finscribe_assets.instructions.pair_building import build_pair, choose, random_for
from finscribe_assets.instructions.responses import compact_json, json_response, unflatten

MAX_FIELD_QUESTIONS = 3  # per document


def build_real_pairs(
    document_id: str, document: Document, printed: dict[str, Any], determined: dict[str, Any], pages: int
) -> list[Pair]:
    """Build a document's pairs: full extraction, document type, and up to three field questions.

    Args:
        document_id: The document's id; it determines which fields are asked for.
        document: The document's values; its type and locale determine how fields are named.
        printed: Values that the pages print, by field path.
        determined: Values that they determine otherwise, such as the currency; full extraction has them too.
        pages: Number of pages.

    Returns:
        The pairs; none if no value is known to be printed.
    """
    if not printed:
        return []
    all_pages = tuple(range(pages))
    # A partial ground truth need not state the type, which only decides between names of fields.
    question_type = document.document_type or DocumentType.INVOICE
    outside_lists = [path for path in printed if "[" not in path]
    chosen = choose(outside_lists, MAX_FIELD_QUESTIONS, random_for(document_id, Task.FIELD_QUESTION))
    return [
        build_pair(document_id, Task.FULL_EXTRACTION, json_response(unflatten(determined | printed)), pages=all_pages),
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
                json_response({path: printed[path]}),
                pages=all_pages,
                target=path,
                question=FieldQuestion(path, question_type, document.locale),
                key=compact_json(path),
            )
            for path in chosen
        ),
    ]
