"""What is asked of a real document: tasks that need no boxes, as nobody has drawn any."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from finscribe_assets.documents.elements import element_of
from finscribe_assets.instructions.pair import Pair, Task
from finscribe_assets.instructions.tasks import unflatten
from finscribe_assets.instructions.wordings import FULL, QUESTION, describe, worded

QUESTIONS = 3  # a document, at most


def pairs_of(document_id: str, printed: dict[str, Any], pages: int) -> list[Pair]:
    """Return a document's pairs from its printed values by path: the whole of it, and questions for a few values.

    Which values are asked for follows from the document's id. A document that prints nothing known has no pairs.
    """
    if not printed:
        return []
    whole = tuple(range(pages))
    name = f"{document_id}/{Task.FULL_EXTRACTION}"
    pairs = [Pair(name, document_id, whole, Task.FULL_EXTRACTION, "", None, worded(FULL, name),
                  _json(unflatten(printed)), "")]  # fmt: skip
    single = [path for path in printed if "[" not in path]
    for path in Random(f"questions:{document_id}").sample(single, min(QUESTIONS, len(single))):
        name = f"{document_id}/{Task.FIELD_QUESTION}/{path}"
        prompt = worded(QUESTION, name, what=describe(path), key=json.dumps(path))
        pairs.append(Pair(name, document_id, whole, Task.FIELD_QUESTION, path, None, prompt,
                          _json({path: printed[path]}), str(element_of(path) or "")))  # fmt: skip
    return pairs


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
