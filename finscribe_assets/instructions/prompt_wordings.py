"""Choose how a task is worded in a prompt; the wordings are in ``wordings.yaml``.

The wording follows from the pair's id, so it never changes between runs. Each task has wordings for training and
held-out wordings that only test prompts use.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from finscribe_assets.documents.elements import TERMS, field_of
from finscribe_assets.files import sha256_of


@cache
def _wordings_file() -> dict[str, Any]:
    return yaml.safe_load(files("finscribe_assets.instructions").joinpath("wordings.yaml").read_text("utf-8"))


def training_wordings(task: str) -> tuple[str, ...]:
    """Return a task's wordings for training prompts. Absent fields are asked for like any other field."""
    return tuple(_wordings_file()[_wording_key(task)]["seen"])


def held_out_wordings(task: str) -> tuple[str, ...]:
    """Return a task's wordings that no training prompt uses."""
    return tuple(_wordings_file()[_wording_key(task)]["held_out"])


def _wording_key(task: str) -> str:
    return "field_question" if task == "absent_field" else task


def claim_text(code: str, line: int | None) -> str:
    """Return the sentence that states a calculation rule.

    Args:
        code: the rule's code, such as ``BR-CO-10``.
        line: the number, from 1, of the line on the page that the claim is about; None for rules outside the table.
    """
    return str(_wordings_file()["claims"][code]).format(line=line)


def choose_wordings(task: str, pair_id: str, **placeholders: str) -> tuple[str, str]:
    """Return a pair's training prompt and held-out prompt, with the placeholders filled in."""
    number = int(sha256_of(pair_id)[:8], 16)
    training, held_out = training_wordings(task), held_out_wordings(task)
    return (
        training[number % len(training)].format(**placeholders),
        held_out[number % len(held_out)].format(**placeholders),
    )


def describe_field(path: str) -> str:
    """Return a field's description from the schema, such as ``name of the party (seller)``.

    Raises:
        KeyError: the schema has no such field.
    """
    description, group = TERMS[field_of(path)].description, path.partition(".")[0]
    has_role = "." in path and group in ("seller", "buyer", "ship_to", "payee")
    return f"{description} ({group})" if has_role else description
