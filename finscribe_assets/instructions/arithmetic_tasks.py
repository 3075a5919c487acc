"""Build pairs that state a calculation of the page, true or false, for the reader to verify.

About half of the claims are false: a patch in the page image replaces one amount by the print of another amount of the
page, which breaks the claimed rule. Where possible, pages of true claims get a patch that leaves the claim true, so
that a visible patch does not give the response away.
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

MAX_HEIGHT_RATIO = 1.15  # between the heights of two amounts that may replace each other
MAX_WIDTH_RATIO = 1.2  # of an amount's width to the width of the amount that it replaces

AmountSwap = tuple[str, str]
"""Field paths of two amounts: the source, whose print is copied, and the target, which it covers."""


def arithmetic_claims(document: VisibleDocument, count: int) -> Iterator[Pair]:
    """Yield up to ``count`` claims: calculation rules that hold on a page, and rules that a patch breaks."""
    random = random_for(document.id, Task.ARITHMETIC)
    candidates = []
    for page in document.pages if count else ():
        amounts = amounts_of_leaves(document.values_on(page))
        for rule in CALCULATION_RULES:
            outcomes = _check_rule(document, amounts, rule)
            candidates += [(page, amounts, rule, outcome) for outcome in outcomes if _claim_holds(outcomes, outcome)]
    random.shuffle(candidates)
    made = 0
    for page, amounts, rule, outcome in candidates:
        if made == count:
            return
        correct = random.random() < 0.5
        swap = _choose_swap(document, page, amounts, rule, outcome, random, breaks=not correct)
        if correct or swap:
            made += 1
            yield _claim_pair(document, page, outcome, swap, correct=correct)


def _check_rule(document: VisibleDocument, amounts: Mapping[str, Decimal], rule: CalculationRule) -> list[Outcome]:
    return check_calculations(amounts, document.drawn.document.currency_code, [rule])


def _claim_holds(outcomes: Sequence[Outcome], claimed: Outcome) -> bool:
    """Return whether a claim is true: about a line, if that line's outcome holds; else if all of the rule's hold.

    A claim outside the table is about all instances of its rule: for VAT breakdowns, about every rate.
    """
    is_about_line = claimed.path.startswith(("lines[", "entries["))
    relevant = [outcome.holds for outcome in outcomes if outcome.path == claimed.path or not is_about_line]
    return bool(relevant) and all(relevant)


def _claim_pair(
    document: VisibleDocument, page: int, outcome: Outcome, swap: AmountSwap | None, *, correct: bool
) -> Pair:
    fragments = document.single_fragments(page)
    patches = (Patch(page, fragments[swap[0]].box, fragments[swap[1]].box),) if swap else ()
    return build_pair(
        document.id,
        Task.ARITHMETIC,
        json_response({"correct": correct}),
        pages=(page,),
        target=outcome.path,
        id_parts=[outcome.code],
        patches=patches,
        claim=claim_text(outcome.code, _line_number(document, page, outcome.path)),
    )


def _line_number(document: VisibleDocument, page: int, path: str) -> int | None:
    """Return the number, from 1, of a field's line among the lines on the page; None for fields outside the table."""
    row, bracket, _ = path.partition("]")
    if not bracket:
        return None
    list_name, _, _ = row.partition("[")
    rows = (shown.partition("]")[0] for shown in document.values_on(page) if shown.startswith(f"{list_name}["))
    return list(dict.fromkeys(rows)).index(row) + 1


def _choose_swap(
    document: VisibleDocument,
    page: int,
    amounts: Mapping[str, Decimal],
    rule: CalculationRule,
    outcome: Outcome,
    random: Random,
    *,
    breaks: bool,
) -> AmountSwap | None:
    """Return a swap of two amounts that makes the claim false if ``breaks``, else a swap that leaves it true."""
    fragments = document.single_fragments(page)
    # The amount due may be printed light on dark: its print would show as a patch, whatever the claim.
    excluded = "totals.amount_due" if document.drawn.presentation.reversed_print else ""
    paths = [path for path in amounts if path in fragments and path != excluded]
    targets = [outcome.path] if breaks else [path for path in paths if path != outcome.path]
    random.shuffle(targets)
    for target in targets[:8]:
        sources = [path for path in paths if _can_replace(path, target, fragments) and amounts[path] != amounts[target]]
        random.shuffle(sources)
        for source in sources[:4]:
            outcomes = _check_rule(document, {**amounts, target: amounts[source]}, rule)
            if _claim_holds(outcomes, outcome) is not breaks:
                return source, target
    return None


def _can_replace(source: str, target: str, fragments: Mapping[str, Fragment]) -> bool:
    """Return whether one amount's print fits another's box: in the same column or among the totals, of similar size."""
    both_totals = source.startswith("totals.") and target.startswith("totals.")
    if not (field_of(source) == field_of(target) or both_totals) or source == target or target not in fragments:
        return False
    first, second = fragments[source].box, fragments[target].box
    return (
        max(first.height, second.height) <= MAX_HEIGHT_RATIO * min(first.height, second.height)
        and first.width <= MAX_WIDTH_RATIO * second.width
    )
