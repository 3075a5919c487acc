"""Grounding: whether a reader gives the right value and the box where it is printed.

The definition is ExtractBench's (arXiv 2607.29677, ``unified_evidence_metric`` in its default mode, *envelope*). A
value is *grounded* if it is correct and the boxes that the reader gives for it match the box where it is printed. It is
*on the page* if it is correct and one of these boxes is on the right page. What counts as correct, and which predicted
row belongs to which true row, is decided by this project's `field_comparison` and `row_matching`; docs/evaluation.md
states how these differ from ExtractBench's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from finscribe_assets.evaluation.field_comparison import DocumentComparison, FieldOutcome, FieldStatus
from finscribe_assets.rendering.located_boxes import LocatedBox, LocatedBoxes
from finscribe_assets.rendering.pages import Box

MIN_IOU = 0.5  # of a predicted box and the true one
MIN_LINE_COVERAGE = 0.5  # share of each line of a wrapped value that a predicted box covers
SAME_BOX_IOU = 0.9  # above which a line is the whole value's box: it need not be covered as well


class GroundingCounts(NamedTuple):
    """How many values of a document are grounded, of how many with predicted boxes and of how many with true boxes."""

    correct: int = 0
    claimed: int = 0  # expected values with a true box for which the reader gives a box
    expected: int = 0  # expected values with a true box

    @property
    def precision(self) -> float:
        """Return correct / claimed; 0 without claims."""
        return self.correct / self.claimed if self.claimed else 0.0

    @property
    def recall(self) -> float:
        """Return correct / expected; 0 if nothing is expected."""
        return self.correct / self.expected if self.expected else 0.0

    @property
    def f1(self) -> float:
        """Return the harmonic mean of precision and recall; 0 if both are."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    def plus(self, other: GroundingCounts) -> GroundingCounts:
        """Return the sums of two counts."""
        return GroundingCounts(*(mine + more for mine, more in zip(self, other, strict=True)))


@dataclass(frozen=True)
class GroundedDocument:
    """The grounding of one document's values.

    Attributes:
        word: counts of values whose boxes match.
        page: counts of values whose boxes are on the right page.
        by_element: the counts of ``word`` by element.
    """

    word: GroundingCounts
    page: GroundingCounts
    by_element: Mapping[str, GroundingCounts] = field(default_factory=dict)


class _Target(NamedTuple):
    """Where a value is printed on one page."""

    page: int
    box: Box  # around all of its lines
    lines: tuple[Box, ...]  # empty for a value on a single line


def ground(
    comparison: DocumentComparison, true_boxes: LocatedBoxes, predicted_boxes: LocatedBoxes
) -> GroundedDocument | None:
    """Measure the grounding of one document's prediction.

    A predicted box counts only for an expected value that has a true box: nothing can be said of any other. So boxes of
    extra values and of extra rows are not claims.

    Args:
        comparison: outcomes of the document's fields.
        true_boxes: by field path of the truth.
        predicted_boxes: by the prediction's own field paths.

    Returns:
        The counts; None if no expected value has a box.
    """
    expected = [
        outcome for outcome in comparison.outcomes if outcome.truth is not None and true_boxes.get(outcome.path)
    ]
    if not expected:
        return None
    predicted = {path: boxes for own, boxes in predicted_boxes.items() if boxes and (path := comparison.true_path(own))}
    by_element: dict[str, GroundingCounts] = {}
    page = GroundingCounts()
    for outcome in expected:
        true, claimed = true_boxes[outcome.path], predicted.get(outcome.path, ())
        element = by_element.get(outcome.element, GroundingCounts())
        by_element[outcome.element] = element.plus(_counts(outcome, claimed, matches(true, claimed)))
        pages = {located.page for located in true}
        page = page.plus(_counts(outcome, claimed, any(located.page in pages for located in claimed)))
    word = GroundingCounts()
    for counts in by_element.values():
        word = word.plus(counts)
    unmatched = _claims_in_unmatched_rows(comparison, expected, predicted)
    extra = GroundingCounts(claimed=unmatched)
    return GroundedDocument(word.plus(extra), page.plus(extra), by_element)


def matches(true: Iterable[LocatedBox], claimed: Iterable[LocatedBox]) -> bool:
    """Tell whether predicted boxes of a value match its true ones, on one of the pages that it is printed on."""
    boxes = list(claimed)
    return any(_is_hit(target, boxes) for target in _targets(true))


def _counts(outcome: FieldOutcome, claimed: Sequence[LocatedBox], in_place: bool) -> GroundingCounts:
    return GroundingCounts(int(in_place and outcome.status is FieldStatus.CORRECT), int(bool(claimed)), 1)


def _claims_in_unmatched_rows(
    comparison: DocumentComparison, expected: Iterable[FieldOutcome], predicted: LocatedBoxes
) -> int:
    """Return the number of claims in predicted rows that agree with no true row, while true rows are missing.

    ExtractBench assigns as many rows as both lists have, also where they agree in nothing; `row_matching` leaves such
    rows unmatched. Their claims are wrong either way, so they are assigned here in order.
    """
    gradeable = {outcome.path for outcome in expected}
    claims = 0
    for true_path, predicted_path in comparison.unmatched_rows():
        fields = (path.removeprefix(true_path) for path in gradeable if path.startswith(true_path))
        claims += sum(predicted_path + name in predicted for name in fields)
    return claims


def _targets(boxes: Iterable[LocatedBox]) -> list[_Target]:
    """Return where a value is printed: on each of its pages the box around its lines there."""
    lines: dict[int, list[Box]] = {}
    for page, box in boxes:
        lines.setdefault(page, []).append(box)
    targets = []
    for page, parts in lines.items():
        around = _around(parts)
        wrapped = parts if len(parts) > 1 else []
        targets.append(_Target(page, around, tuple(part for part in wrapped if iou(part, around) < SAME_BOX_IOU)))
    return targets


def _is_hit(target: _Target, claimed: Iterable[LocatedBox]) -> bool:
    """Tell whether predicted boxes match a target.

    One of them must overlap it by ``MIN_IOU``. For a wrapped value, the box around all that touch it may do so too, and
    each of its lines must be covered by one of them to ``MIN_LINE_COVERAGE``.
    """
    boxes = [box for page, box in claimed if page == target.page]
    overlaps = any(iou(target.box, box) >= MIN_IOU for box in boxes)
    if not overlaps and target.lines:
        touching = [box for box in boxes if _overlap(target.box, box) > 0]
        overlaps = bool(touching) and iou(target.box, _around(touching)) >= MIN_IOU
    return overlaps and all(any(_covered(line, box) >= MIN_LINE_COVERAGE for box in boxes) for line in target.lines)


def iou(first: Box, second: Box) -> float:
    """Return the intersection of two boxes over their union, in [0, 1]."""
    overlap = _overlap(first, second)
    union = first.width * first.height + second.width * second.height - overlap
    return overlap / union if union > 0 else 0.0


def _overlap(first: Box, second: Box) -> float:
    across = min(first.x1, second.x1) - max(first.x0, second.x0)
    down = min(first.y1, second.y1) - max(first.y0, second.y0)
    return max(0.0, across) * max(0.0, down)


def _covered(line: Box, box: Box) -> float:
    area = line.width * line.height
    return _overlap(line, box) / area if area > 0 else 0.0


def _around(boxes: Sequence[Box]) -> Box:
    around = boxes[0]
    for box in boxes[1:]:
        around = around.around(box)
    return around
