"""What a person marked in a labelling tool, in one form for all tools."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from finscribe_assets.rendering.located_boxes import LocatedBox


class AnswerState(StrEnum):
    """What became of a document in the labelling tool."""

    DONE = "done"  # a person submitted it: what was not touched is confirmed
    SKIPPED = "skipped"  # a person skipped or cancelled it
    OPEN = "open"  # nobody submitted it
    DRAFT = "draft"  # somebody began, but did not submit


@dataclass(frozen=True)
class MarkedValue:
    """A value as a person left it.

    Attributes:
        field: its field without list positions.
        text: its text; empty if the person typed none.
        box: the region; None if the value has none.
        key: the id of its region; one of `ReviewDocument.key_of` if it was predicted.
        row: position in its list, where the person stated it.
    """

    field: str
    text: str
    box: LocatedBox | None = None
    key: str = ""
    row: int | None = None


@dataclass(frozen=True)
class Answer:
    """What one person submitted for one document.

    Attributes:
        values: regions and values without a region, in any order.
        problems: what could not be read, with the mend.
        unreadable: fields that have such a problem; they do not count as labelled.
        annotator: who submitted it, as the tool names people; empty if it does not.
        submitted: when, as the tool writes it; later texts are later times.
        seconds: how long it took; None if the tool does not measure it.
    """

    values: tuple[MarkedValue, ...]
    problems: tuple[str, ...] = ()
    unreadable: frozenset[str] = frozenset()
    annotator: str = ""
    submitted: str = ""
    seconds: float | None = None


@dataclass
class DocumentAnswers:
    """All that a tool returned for one document."""

    state: AnswerState
    answers: list[Answer] = field(default_factory=list)  # of all annotators, oldest first; empty unless done
