"""How tasks are put into words (wordings.yaml). A pair's wording follows from its id: it never changes between runs."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from finscribe_assets.documents.elements import TERMS, field_of
from finscribe_assets.files import sha256_of


@cache
def _file() -> dict[str, Any]:
    return yaml.safe_load(files("finscribe_assets.instructions").joinpath("wordings.yaml").read_text("utf-8"))


def training_wordings(task: str) -> tuple[str, ...]:
    """Return the wordings of a task that training asks with; of an absent field those of any question."""
    return tuple(_file()[_asked_as(task)]["seen"])


def held_out_wordings(task: str) -> tuple[str, ...]:
    """Return the wordings of a task that no training set has."""
    return tuple(_file()[_asked_as(task)]["held_out"])


def _asked_as(task: str) -> str:
    return "field_question" if task == "absent_field" else task


def claim_text(code: str, line: int | None) -> str:
    """Return what an arithmetic rule says, by its code; ``line`` counts the lines that the page shows, from 1."""
    return str(_file()["claims"][code]).format(line=line)


def choose_wordings(task: str, pair_id: str, **values: str) -> tuple[str, str]:
    """Return the wordings that belong to a pair, filled in: one that training has, and one that it never has."""
    number = int(sha256_of(pair_id)[:8], 16)
    seen, held_out = training_wordings(task), held_out_wordings(task)
    return seen[number % len(seen)].format(**values), held_out[number % len(held_out)].format(**values)


def describe_field(path: str) -> str:
    """Return a field's description from the schema, such as ``name of the party (seller)``.

    Raises:
        KeyError: the schema has no such field.
    """
    words, group = TERMS[field_of(path)].description, path.partition(".")[0]
    return f"{words} ({group})" if "." in path and group in ("seller", "buyer", "ship_to", "payee") else words
