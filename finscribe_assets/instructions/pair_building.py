"""Assemble pairs from a task, a response and an image region.

The task modules call `build_pair` for every pair. Ids, wordings and random choices follow from the document's id.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random
from typing import TypeVar

from finscribe_assets.documents.elements import element_of
from finscribe_assets.instructions.field_names import FieldQuestion
from finscribe_assets.instructions.pair import Pair, Patch, Task
from finscribe_assets.instructions.prompt_wordings import (
    choose_question,
    choose_wordings,
    name_parties,
    state_structure,
)
from finscribe_assets.instructions.responses import AnnotatedResponse
from finscribe_assets.rendering.pages import Box

Option = TypeVar("Option")


def build_pair(
    document_id: str,
    task: Task,
    response: AnnotatedResponse,
    *,
    pages: tuple[int, ...],
    target: str = "",
    box: Box | None = None,
    prompt: str = "",
    question: FieldQuestion | None = None,
    parties: Iterable[str] = (),
    structure: str = "",
    id_parts: Sequence[object] = (),
    patches: tuple[Patch, ...] = (),
    **placeholders: str,
) -> Pair:
    """Return a pair of a document, with its id and its prompts.

    Args:
        document_id: the document that the pair is about.
        task: the task of the pair.
        response: the expected response and its spans.
        pages: numbers of the pages that the image shows, from 0.
        target: the field path, region or table that the pair asks for; empty for the whole document.
        box: the region of the one page that the image shows, in pixels; None for whole pages.
        prompt: a fixed prompt of the model; if empty, one of the task's wordings is chosen by the pair's id.
        question: the field that the prompt asks for; its names are chosen by the pair's id.
        parties: keys of parties that the prompt names, since the image does not.
        structure: a user's JSON with empty values, which the prompt shows; empty for the keys of the schema.
        id_parts: what distinguishes pairs of the same document, task and target; part of the id.
        patches: changes to the page image.
        placeholders: values for the placeholders of the wording.
    """
    id_ = "/".join([document_id, str(task), *(str(part) for part in (target, *id_parts) if part != "")])
    if prompt:
        training_prompt, held_out_prompt = prompt, ""
    elif question:
        training_prompt, held_out_prompt = choose_question(task, id_, question, **placeholders)
    else:
        training_prompt, held_out_prompt = choose_wordings(task, id_, **placeholders)
    notes = (name_parties(id_, parties), state_structure(id_, structure))
    text, spans = response
    return Pair(
        id=id_,
        document_id=document_id,
        pages=pages,
        task=task,
        target=target,
        box=box,
        prompt=training_prompt + "".join(training for training, _ in notes),
        response=text,
        element=str(element_of(target) or ""),
        prompt_held_out=held_out_prompt + "".join(held_out for _, held_out in notes),
        spans=spans,
        patches=patches,
    )


def random_for(document_id: str, task: Task) -> Random:
    """Return the random generator for a document's pairs of one task, seeded by both."""
    return Random(f"{task}:{document_id}")


def choose(options: Sequence[Option], count: int, random: Random) -> list[Option]:
    """Return ``count`` of the options in random order, or all of them if there are fewer."""
    return random.sample(options, min(count, len(options)))
