"""What is asked of a real document: tasks that need no boxes, as nobody has drawn any."""

from __future__ import annotations

from typing import Any

from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.instructions.pair import Pair, Task
from finscribe_assets.instructions.pair_building import build_pair, choose, random_for
from finscribe_assets.instructions.prompt_wordings import describe_field
from finscribe_assets.instructions.responses import compact_json, json_response, unflatten

QUESTIONS = 3  # a document, at most


def pairs_of(document_id: str, kind: DocumentType, printed: dict[str, Any], pages: int) -> list[Pair]:
    """Return a document's pairs from its kind and its printed values by path: all of it, its type, and a few values.

    Which values are asked for follows from the document's id. A document that prints nothing known has no pairs.
    """
    if not printed:
        return []
    whole = tuple(range(pages))
    single = [path for path in printed if "[" not in path]
    chosen = choose(single, QUESTIONS, random_for(document_id, Task.FIELD_QUESTION))
    return [
        build_pair(document_id, Task.FULL_EXTRACTION, json_response(unflatten(printed)), pages=whole),
        build_pair(
            document_id,
            Task.DOCUMENT_TYPE,
            json_response({"document_type": str(kind)}),
            pages=whole[:1],
            target="document_type",
            kinds=", ".join(DocumentType),
        ),
        *(
            build_pair(
                document_id,
                Task.FIELD_QUESTION,
                json_response({path: printed[path]}),
                pages=whole,
                target=path,
                what=describe_field(path),
                key=compact_json(path),
            )
            for path in chosen
        ),
    ]
