"""Pairs from what is asked and what is answered: ids, wordings and random choices that follow from the document."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

from finscribe_assets.documents.elements import element_of
from finscribe_assets.instructions.pair import Pair, Patch, Task
from finscribe_assets.instructions.prompt_wordings import choose_wordings
from finscribe_assets.instructions.responses import AnnotatedResponse
from finscribe_assets.rendering.pages import Box

Option = TypeVar("Option")


def build_pair(
    document_id: str,
    task: Task,
    answer: AnnotatedResponse,
    *,
    pages: tuple[int, ...],
    target: str = "",
    box: Box | None = None,
    prompt: str = "",
    parts: Sequence[object] = (),
    patches: tuple[Patch, ...] = (),
    **values: str,
) -> Pair:
    """Return a document's pair: in a model's own ``prompt`` where it is given, else in one of the task's wordings.

    ``parts`` tell pairs of one task and target apart; ``values`` fill the wording in.
    """
    name = "/".join([document_id, str(task), *(str(part) for part in (target, *parts) if part != "")])
    seen, held_out = (prompt, "") if prompt else choose_wordings(task, name, **values)
    response, spans = answer
    return Pair(
        name,
        document_id,
        pages,
        task,
        target,
        box,
        seen,
        response,
        str(element_of(target) or ""),
        held_out,
        spans,
        patches,
    )


def random_for(document_id: str, task: Task) -> Random:
    """Return the random numbers of a document's pairs of one task."""
    return Random(f"{task}:{document_id}")


def choose(options: Sequence[Option], count: int, random: Random) -> list[Option]:
    """Return so many of some options, or all of them, in random order."""
    return random.sample(options, min(count, len(options)))
