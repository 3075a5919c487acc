"""Claims about the amounts of a page, true or false: of half of them, one figure on the page is another one's.

What is changed is the picture, by a patch: the print of one amount is shown in the place of another of its kind. So
that a patch tells nothing, pages of true claims get one too where there is a figure that the claim does not rest on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from random import Random

from finscribe_assets.documents.calculation_rules import (
    CALCULATION_RULES,
    CalculationRule,
    Outcome,
    amounts_of_leaves,
    check_calculations,
)
from finscribe_assets.documents.elements import field_of
from finscribe_assets.instructions.pair import Pair, Patch, Task
from finscribe_assets.instructions.pair_building import build_pair, random_for
from finscribe_assets.instructions.prompt_wordings import claim_text
from finscribe_assets.instructions.responses import json_response
from finscribe_assets.instructions.visible_values import VisibleDocument
from finscribe_assets.rendering.pages import Fragment

MAX_HEIGHT_RATIO = 1.15  # times: how much higher one print may be than the one that it takes the place of
MAX_WIDTH_RATIO = 1.2  # times: the same of its width

AmountSwap = tuple[str, str]
"""Paths of two amounts: whose print is shown, and in whose place."""


def arithmetic_claims(shown: VisibleDocument, count: int) -> Iterator[Pair]:
    """Claim rules of the document's arithmetic that its pages bear out, and rules that a changed figure breaks."""
    random = random_for(shown.id, Task.ARITHMETIC)
    candidates = []
    for page in shown.pages if count else ():
        amounts = amounts_of_leaves(shown.values_on(page))
        for rule in CALCULATION_RULES:
            outcomes = _check(shown, amounts, rule)
            candidates += [(page, amounts, rule, one) for one in outcomes if _bear_out(outcomes, one)]
    random.shuffle(candidates)
    made = 0
    for page, amounts, rule, outcome in candidates:
        if made == count:
            return
        true = random.random() < 0.5
        swap = _swap(shown, page, amounts, rule, outcome, random, breaks=not true)
        if true or swap:
            made += 1
            yield _claimed(shown, page, outcome, swap, true=true)


def _check(shown: VisibleDocument, amounts: Mapping[str, Decimal], rule: CalculationRule) -> list[Outcome]:
    return check_calculations(amounts, shown.drawn.document.currency_code, [rule])


def _bear_out(outcomes: Sequence[Outcome], claimed: Outcome) -> bool:
    """Tell whether a rule's outcomes make a claim true: of one line its own, else all, as of every rate."""
    of_line = claimed.path.startswith(("lines[", "entries["))
    found = [one.holds for one in outcomes if one.path == claimed.path or not of_line]
    return bool(found) and all(found)


def _claimed(shown: VisibleDocument, page: int, outcome: Outcome, swap: AmountSwap | None, *, true: bool) -> Pair:
    parts = shown.single_fragments(page)
    patches = (Patch(page, parts[swap[0]].box, parts[swap[1]].box),) if swap else ()
    words = claim_text(outcome.code, _line(shown, page, outcome.path))
    return build_pair(
        shown.id,
        Task.ARITHMETIC,
        json_response({"correct": true}),
        pages=(page,),
        target=outcome.path,
        parts=[outcome.code],
        patches=patches,
        claim=words,
    )


def _line(shown: VisibleDocument, page: int, path: str) -> int | None:
    """Return which of the lines that the page shows a field belongs to, from 1; None outside the table."""
    row, bracket, _ = path.partition("]")
    if not bracket:
        return None
    group, _, _ = row.partition("[")
    of_group = (one.partition("]")[0] for one in shown.values_on(page) if one.startswith(f"{group}["))
    return list(dict.fromkeys(of_group)).index(row) + 1


def _swap(
    shown: VisibleDocument,
    page: int,
    amounts: Mapping[str, Decimal],
    rule: CalculationRule,
    outcome: Outcome,
    random: Random,
    *,
    breaks: bool,
) -> AmountSwap | None:
    """Return two amounts of which the one, shown in the other's place, breaks the outcome, or leaves it as it is."""
    parts = shown.single_fragments(page)
    due = "totals.amount_due" if shown.drawn.presentation.reversed_print else ""  # its print is of other colours
    paths = [path for path in amounts if path in parts and path != due]
    targets = [outcome.path] if breaks else [path for path in paths if path != outcome.path]
    random.shuffle(targets)
    for target in targets[:8]:
        sources = [path for path in paths if _alike(path, target, parts) and amounts[path] != amounts[target]]
        random.shuffle(sources)
        for source in sources[:4]:
            after = _check(shown, {**amounts, target: amounts[source]}, rule)
            if _bear_out(after, outcome) is not breaks:
                return source, target
    return None


def _alike(path: str, target: str, parts: Mapping[str, Fragment]) -> bool:
    """Tell whether an amount's print could stand in another's place: of its column, or both among the totals."""
    of_one_kind = field_of(path) == field_of(target) or (path.startswith("totals.") and target.startswith("totals."))
    if not of_one_kind or path == target or target not in parts:
        return False
    one, other = parts[path].box, parts[target].box
    return (
        max(one.height, other.height) <= MAX_HEIGHT_RATIO * min(one.height, other.height)
        and one.width <= MAX_WIDTH_RATIO * other.width
    )
