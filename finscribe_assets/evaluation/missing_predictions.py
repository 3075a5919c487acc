"""Explain why a file holds no prediction at all, and how to mend it.

Single bad lines are counted (`prediction_files.py`), since a model wrote them. A file without any usable line was not
written by a model that failed: it has another format, or belongs to other documents.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from finscribe_assets.files import AnyPath

FORM = '{"id": "…", "response": {…}}'
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_SEPARATORS = ",;\t"


def explain_no_predictions(path: AnyPath, ids: Collection[str]) -> str:
    """Return what is wrong with a file of which no line is a prediction for one of the documents.

    Args:
        path: the file.
        ids: of the documents of the ground truth.

    Returns:
        One sentence with what the file holds and what to do.
    """
    content = path.read_bytes()
    if not content.strip():
        return f"{path}: the file is empty; write one prediction a line: {FORM}"
    if content.startswith(_UTF_16_MARKS) or b"\0" in content[:64]:
        return (
            f"{path}: no prediction can be read, as the text is not in UTF-8 but in UTF-16; save it in UTF-8, for "
            "example with `iconv -f UTF-16 -t UTF-8`"
        )
    text = content.decode("utf-8-sig", errors="replace")
    whole, lines = _value(text), [line for line in text.split("\n") if line.strip()]
    if isinstance(whole, list):
        return (
            f"{path}: the file is one JSON array; write its {len(whole)} items one a line, for example with "
            f"`jq -c '.[]'`: {FORM}"
        )
    if isinstance(whole, dict) and len(lines) > 1:
        return (
            f"{path}: the file is one JSON object over {len(lines)} lines; write each prediction on a single line, for "
            f"example with `jq -c .`: {FORM}"
        )
    values = [_value(line) for line in lines]
    records = [value for value in values if isinstance(value, dict)]
    if not records:
        found = "looks like a table of separated values" if _is_separated(lines) else "has no line that is JSON"
        return f"{path}: the file {found}; write one prediction a line: {FORM}"
    complete = [record for record in records if "response" in record and isinstance(record.get("id"), str | int)]
    if not complete:
        keys = ", ".join(map(repr, list(records[0])[:8])) or "none"
        return (
            f"{path}: no line is a prediction: the keys of its records are {keys}; name the document's id 'id' and "
            f"the model's answer 'response': {FORM}"
        )
    return (
        f"{path}: none of its {len(complete)} predictions is for a document of the ground truth: it has the id "
        f"{str(complete[0]['id'])[:80]!r}, the ground truth has {next(iter(ids))[:80]!r}; give both the same ids"
    )


def _value(text: str) -> Any:
    """Return the value of a text in JSON; None if it is not JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _is_separated(lines: list[str]) -> bool:
    """Tell whether the first lines have the same number of the same separator, as those of CSV have."""
    return any(len(counts := {line.count(mark) for line in lines[:3]}) == 1 and counts != {0} for mark in _SEPARATORS)
