"""Choose how a task is worded in a prompt; the wordings are in ``wordings.yaml``.

The wording follows from the pair's id, so it never changes between runs. Each task has wordings for training and
held-out wordings that only test prompts use.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

import yaml

from finscribe_assets.files import sha256_of
from finscribe_assets.instructions.field_names import FieldQuestion, english_names, label_names, questions


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


def choose_wordings(task: str, pair_id: str, **placeholders: str | tuple[str, str]) -> tuple[str, str]:
    """Return a pair's training prompt and held-out prompt, with the placeholders filled in.

    Args:
        task: the task of the pair.
        pair_id: determines the wordings.
        placeholders: texts, or pairs of a text for the training prompt and one for the held-out prompt.
    """
    number = int(sha256_of(pair_id)[:8], 16)
    training, held_out = training_wordings(task), held_out_wordings(task)
    fillings = {name: (text, text) if isinstance(text, str) else text for name, text in placeholders.items()}
    return (
        training[number % len(training)].format(**{name: texts[0] for name, texts in fillings.items()}),
        held_out[number % len(held_out)].format(**{name: texts[1] for name, texts in fillings.items()}),
    )


def choose_question(task: str, pair_id: str, question: FieldQuestion, **placeholders: str) -> tuple[str, str]:
    """Return a training prompt and a held-out prompt that ask for a field.

    Half of them name the field by a label of such documents, where it has labels that mean nothing else; the others
    by an English name. Questions for the value, by label, are in the language of the document.

    Args:
        task: the task of the pair.
        pair_id: determines the wordings.
        question: the field, and the type and locale of the document, which determine its names.
        placeholders: the other texts of the wording.
    """
    random = Random(f"names:{pair_id}")
    number, by_label = random.randrange(1 << 30), random.random() < 0.5
    labels = label_names(*question) if by_label else None
    if labels is None:
        what = english_names(question.path, question.document_type).choose(number)
        return choose_wordings(task, pair_id, what=what, **placeholders)
    training, held_out = labels.choose(number)
    if _wording_key(task) == "field_question" and (native := questions(question.locale)):
        asked = native.choose(number // 7)
        return asked[0].format(label=training, **placeholders), asked[1].format(label=held_out, **placeholders)
    what = f"the value of “{training}”", f"the value of “{held_out}”"
    return choose_wordings(task, pair_id, what=what, **placeholders)


def name_parties(pair_id: str, roles: Iterable[str]) -> tuple[str, str]:
    """Return a sentence for the training prompt, and one for the held-out prompt, that names the parties' keys.

    A block rarely holds the caption that tells whose name and address it is. Returns empty texts without any role.
    """
    names = " and ".join(f'"{role}"' for role in roles)
    training, held_out = choose_wordings("parties", pair_id, roles=names)
    return (f" {training}", f" {held_out}") if names else ("", "")


def state_structure(pair_id: str, structure: str) -> tuple[str, str]:
    """Return a sentence for the training prompt, and one for the held-out prompt, that shows a user's keys.

    Args:
        pair_id: determines the wordings.
        structure: the user's JSON with empty values. Returns empty texts without it.
    """
    if not structure:
        return "", ""
    training, held_out = choose_wordings("user_schema", pair_id, structure=structure)
    return f" {training}", f" {held_out}"


def full_extraction_prompt(structure: str = "") -> str:
    """Return the prompt with which whole documents are read: the first wording, and a user's keys if there are some."""
    prompt = training_wordings("full_extraction")[0]
    return f"{prompt} {training_wordings('user_schema')[0].format(structure=structure)}" if structure else prompt
