"""Count what people changed, added, deleted and confirmed, and settle what several annotators state."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from finscribe_assets.documents.elements import field_of
from finscribe_assets.evaluation.normalise import TRUTH_CONTEXT, canonical_value
from finscribe_assets.review.corrected_truth import CorrectedTruth, is_same_place
from finscribe_assets.review.marked_values import Answer, MarkedValue
from finscribe_assets.review.review_fields import FIELD_CHOICES
from finscribe_assets.review.review_set import ReviewDocument, ReviewValue
from finscribe_assets.review.value_lines import split_path


class Annotators(StrEnum):
    """Whose answer counts where several people corrected a document."""

    LATEST = "latest"  # the last one that was submitted
    AGREED = "agreed"  # values that all of them state alike; other fields do not count as labelled


@dataclass(frozen=True)
class Changes:
    """What a person did with the predicted values.

    Attributes:
        confirmed: number of values that were not touched.
        changed: path, predicted text and corrected text.
        moved: paths of values whose box or field was changed, and not their text.
        added: field and text.
        deleted: path and text.
    """

    confirmed: int
    changed: tuple[tuple[str, str, str], ...]
    moved: tuple[str, ...]
    added: tuple[tuple[str, str], ...]
    deleted: tuple[tuple[str, str], ...]

    def to_json(self) -> dict[str, Any]:
        """Return the changes as JSON values."""
        return {
            "confirmed": self.confirmed,
            "changed": [{"path": path, "from": old, "to": new} for path, old, new in self.changed],
            "moved": list(self.moved),
            "added": [{"field": field, "text": text} for field, text in self.added],
            "deleted": [{"path": path, "text": text} for path, text in self.deleted],
        }


def changes_of(document: ReviewDocument, answer: Answer) -> Changes:
    """Compare an answer with what was predicted."""
    # The locale says how values are written; it is no value of the page.
    left = {key: value for key, value in document.by_key.items() if value.path != "locale"}
    confirmed, changed, moved, added = 0, [], [], []
    for marked in answer.values:
        if marked.field == "locale":
            continue
        key = marked.key if marked.key in left else _key_of_unplaced(marked, left)
        value = left.pop(key, None)
        if value is None:
            added.append((marked.field, marked.text))
        elif marked.text.split() != value.text.split():
            changed.append((value.path, value.text, marked.text))
        elif marked.field != field_of(value.path) or (marked.key and not is_same_place(value.region, marked.box)):
            moved.append(value.path)
        else:
            confirmed += 1
    deleted = [(value.path, value.text) for value in left.values() if _was_shown(value)]
    return Changes(confirmed, tuple(changed), tuple(moved), tuple(added), tuple(deleted))


def _key_of_unplaced(marked: MarkedValue, left: dict[str, ReviewValue]) -> str:
    """Return the key of the predicted value without a box that a line or a choice states."""
    if marked.box is not None or marked.key:
        return ""
    for key, value in left.items():
        if (value.region is None or value.path in FIELD_CHOICES) and split_path(value.path) == (
            marked.field,
            marked.row,
        ):
            return key
    return ""


def _was_shown(value: ReviewValue) -> bool:
    """Tell whether the tool showed a predicted value: a choice can show those on its list only."""
    return value.path not in FIELD_CHOICES or value.text in FIELD_CHOICES[value.path]


def agreed(truths: list[CorrectedTruth]) -> tuple[CorrectedTruth, int]:
    """Return what all annotators state alike, and the number of fields on which they differ.

    A field on which they differ has no value and does not count as labelled.
    """
    latest = truths[-1]
    differing: set[str] = set()
    for other in truths[:-1]:
        differing |= latest.labelled ^ other.labelled
        for path in latest.values.keys() | other.values.keys():
            first, second = (canonical_value(path, truth.values.get(path), TRUTH_CONTEXT) for truth in (latest, other))
            if first != second:
                differing.add(field_of(path))
    kept = {path: value for path, value in latest.values.items() if field_of(path) not in differing}
    lines = tuple(line for line in latest.lines if line.path in kept)
    return replace(latest, values=kept, lines=lines, labelled=latest.labelled - differing), len(differing)
