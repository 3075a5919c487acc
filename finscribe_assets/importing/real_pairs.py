"""What is asked of a real document: tasks that need no boxes, as nobody has drawn any."""

from __future__ import annotations

from typing import Any

from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.instructions.pair import Pair, Task
from finscribe_assets.instructions.pair_building import asked, chance_of, some
from finscribe_assets.instructions.prompt_wordings import describe
from finscribe_assets.instructions.responses import in_json, to_json, unflatten

QUESTIONS = 3  # a document, at most


def pairs_of(document_id: str, kind: DocumentType, printed: dict[str, Any], pages: int) -> list[Pair]:
    """Return a document's pairs from its kind and its printed values by path: all of it, its type, and a few values.

    Which values are asked for follows from the document's id. A document that prints nothing known has no pairs.
    """
    if not printed:
        return []
    whole = tuple(range(pages))
    single = [path for path in printed if "[" not in path]
    chosen = some(single, QUESTIONS, chance_of(document_id, Task.FIELD_QUESTION))
    return [
        asked(document_id, Task.FULL_EXTRACTION, in_json(unflatten(printed)), pages=whole),
        asked(
            document_id,
            Task.DOCUMENT_TYPE,
            in_json({"document_type": str(kind)}),
            pages=whole[:1],
            target="document_type",
            kinds=", ".join(DocumentType),
        ),
        *(
            asked(
                document_id,
                Task.FIELD_QUESTION,
                in_json({path: printed[path]}),
                pages=whole,
                target=path,
                what=describe(path),
                key=to_json(path),
            )
            for path in chosen
        ),
    ]
