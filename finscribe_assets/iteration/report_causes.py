"""Choose the worst causes of failures for the report's first screen, and a picture of each.

Factors that a probe found harmful come first: they are causes by experiment. Error types of the failures follow, the
most frequent first: they say how values failed, not why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.evaluation.failure_excerpts import PageIllustration, excerpt_of
from finscribe_assets.evaluation.leading_failures import MAX_NAMED_ELEMENTS, FailureExample, LeadingFailure
from finscribe_assets.evaluation.report import EvaluationReport
from finscribe_assets.evaluation.report_opening import WORST_CAUSES, CausePanel, HarmfulEffect, RobustnessSection
from finscribe_assets.evaluation.user_report import user_name
from finscribe_assets.iteration.batch_documents import PredictedDocuments
from finscribe_assets.mining.error_meanings import ERROR_MEANINGS
from finscribe_assets.mining.error_types import ErrorType
from finscribe_assets.probing.factor_example import draw_factor_example
from finscribe_assets.probing.factors import present_factors
from finscribe_assets.rendering.page_batch import pages_by_id
from finscribe_assets.rendering.pages import RenderedDocument
from finscribe_assets.rendering.render import render
from finscribe_assets.schema_mapping.mapping import SchemaMapping

MAX_PAGES_OPENED = 40  # of documents among which a picture is chosen
MAX_VALUE_SHOWN = 40  # characters


def worst_causes(
    report: EvaluationReport, documents: PredictedDocuments, robustness: RobustnessSection | None
) -> list[CausePanel]:
    """Return at most three causes, each with a picture where a stored page shows it.

    Args:
        report: Of the documents, with the counts of its failures.
        documents: Whose pages are shown.
        robustness: What a probe found; None if the reader was not probed.
    """
    factors = _by_factor(robustness.harmful if robustness else ())[:WORST_CAUSES]
    failures = report.failures[: WORST_CAUSES - len(factors)]
    candidates = [_failures_with(factor, report, documents) for factor in factors]
    candidates += [list(failure.examples) for failure in failures]
    wanted = list(dict.fromkeys(example.document for some in candidates for example in some))[:MAX_PAGES_OPENED]
    pages = {one.id: one for folder in documents.image_folders for one in pages_by_id(folder, wanted)}
    panels = [_factor_panel(effect, robustness.reader if robustness else "") for effect in factors]
    panels = [_with_picture(*both, pages) for both in zip(panels, candidates[: len(factors)], strict=True)]
    if robustness and robustness.recipe:
        panels = [_with_drawn_page(*both, robustness.recipe) for both in zip(panels, factors, strict=True)]
    others = map(_failure_panel, failures)
    panels += [_with_picture(*both, pages) for both in zip(others, candidates[len(factors) :], strict=True)]
    return [_in_user_keys(panel, documents.mapping) for panel in panels] if documents.mapping else panels


def _by_factor(effects: Sequence[HarmfulEffect]) -> list[HarmfulEffect]:
    """Return the largest effect of each factor, in the order of the effects, whose largest are first."""
    largest: dict[str, HarmfulEffect] = {}
    for effect in effects:
        largest.setdefault(effect.factor, effect)
    return list(largest.values())


def _failures_with(
    effect: HarmfulEffect, report: EvaluationReport, documents: PredictedDocuments
) -> list[FailureExample]:
    """Return failures of the element that a factor harms, in documents that show the factor."""
    showing = {name for name, drawn in documents.drawn.items() if effect.factor in present_factors(drawn)}
    return [
        example
        for failure in report.failures
        for example in failure.examples
        if example.document in showing and example.element == effect.element
    ]


def _factor_panel(effect: HarmfulEffect, reader: str) -> CausePanel:
    choice, _, value = effect.factor.rpartition(":")
    name = f"{choice} {value}" if choice else value.replace("_", " ")
    return CausePanel(
        f"{name[0].upper()}{name[1:]} harms {effect.element}",
        f"{100 * effect.effect:+.0f} points of failures [{100 * effect.low:.0f}, {100 * effect.high:.0f}] in "
        f"{effect.pairs:,} documents with it, beside others without it; read by {reader}",
    )


def _failure_panel(failure: LeadingFailure) -> CausePanel:
    elements = ", ".join(f"{name} {count:,}" for name, count in list(failure.elements.items())[:MAX_NAMED_ELEMENTS])
    return CausePanel(
        ERROR_MEANINGS[ErrorType(failure.error_type)],
        f"{failure.failures:,} failures ({failure.share:.0%} of all) in {failure.documents:,} documents; {elements}",
    )


def _with_picture(
    panel: CausePanel, candidates: Sequence[FailureExample], pages: Mapping[str, RenderedDocument]
) -> CausePanel:
    """Add the first failure that a stored page shows."""
    for example in candidates:
        if example.document not in pages:
            continue
        text = f"{panel.title}: part of a page of {example.document}"
        if picture := excerpt_of(pages[example.document], example.path, text):
            read = "nothing" if example.predicted is None else f"“{_short(example.predicted)}”"
            printed = "nothing" if example.truth is None else f"“{_short(example.truth)}”"
            return replace(panel, example=f"{example.path}: read {read}, printed {printed}", picture=picture)
    return panel


def _with_drawn_page(panel: CausePanel, effect: HarmfulEffect, recipe: Recipe) -> CausePanel:
    """Add a page that is drawn with a factor, where no document of the report shows a failure by it."""
    if panel.picture or not (found := draw_factor_example(recipe, effect.factor, effect.element)):
        return panel
    drawn, path = found
    picture: PageIllustration | None = excerpt_of(render(drawn), path, f"{panel.title}: a page that has it")
    return replace(panel, example=f"A page of the kind that the probe reads: {path}", picture=picture)


def _in_user_keys(panel: CausePanel, mapping: SchemaMapping) -> CausePanel:
    """Name the field of an example by the user's key."""
    path, colon, rest = panel.example.partition(": ")
    return replace(panel, example=f"{user_name(path, mapping)}{colon}{rest}") if colon else panel


def _short(value: str) -> str:
    return value if len(value) <= MAX_VALUE_SHOWN else value[: MAX_VALUE_SHOWN - 1] + "…"
