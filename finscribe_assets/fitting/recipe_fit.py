"""Fit a recipe to real documents, so that synthetic pages resemble them, and measure how far they still are.

The steps:

1. Document types and locales are counted; capture settings (resolution, levels of paper and print, width of till rolls)
   are set from measures.
2. A pool of synthetic documents is drawn from a wide recipe of these types and locales, and measured.
3. The shares of channels, layouts, colours and of each visible knob are estimated from the pool (`value_shares.py`).
4. A second pool is drawn around the first estimate, from which shares and capture settings are estimated again.
5. New documents are drawn from the default recipe and from the fitted one. A classifier two-sample test
   (`two_sample_test.py`) says for both how well they can be told from the real ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from finscribe_assets.documents.channels import Channel
from finscribe_assets.documents.drawn_document import Colours
from finscribe_assets.documents.layout_families import LAYOUT_FACTS
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.documents.schema import DocumentType
from finscribe_assets.files import AnyPath
from finscribe_assets.fitting.capture_settings import CaptureSettings, corrected_settings, first_settings
from finscribe_assets.fitting.real_samples import RealSample
from finscribe_assets.fitting.recipe_estimate import VISIBLE_KNOBS, ChangedWeight, changes, estimate_recipe
from finscribe_assets.fitting.two_sample_test import TwoSampleResult, two_sample_test
from finscribe_assets.fitting.value_shares import SharePool
from finscribe_assets.measuring.measured_documents import MeasuredDocument, measure_plan
from finscribe_assets.shards import ShardPool

CHOICE_PRIOR = 0.25  # documents that the base recipe's types and locales count as
SMALL_SAMPLE = 20  # real documents below which the report warns of wide intervals
_WIDE_KNOB = 0.12  # probability of each visible knob in the first pool
Progress = Callable[[int], None]

_Name = TypeVar("_Name", bound=str)


@dataclass(frozen=True)
class FittedRecipe:
    """A fitted recipe, what it changed, and how far its documents are from the real ones.

    Attributes:
        recipe: the fitted recipe.
        changed: weights that differ from the base recipe's.
        kept: parts of the recipe that measures do not show, which are as they were.
        before: two-sample test of the base recipe.
        after: two-sample test of the fitted recipe.
        warnings: what a user must know before relying on it.
        synthetic: measured documents of the fitted recipe.
    """

    recipe: Recipe
    changed: tuple[ChangedWeight, ...]
    kept: tuple[str, ...]
    before: TwoSampleResult
    after: TwoSampleResult
    warnings: tuple[str, ...]
    synthetic: tuple[MeasuredDocument, ...]

    def to_json(self) -> dict[str, Any]:
        """Return both tests, every change and the warnings as JSON values."""
        return {
            "before": self.before.to_json(),
            "after": self.after.to_json(),
            "changed": [vars(change) for change in self.changed],
            "not_shown_by_measures": list(self.kept),
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True)
class FitSettings:
    """How a recipe is fitted.

    Attributes:
        pool_documents: documents of each of the two pools.
        test_documents: documents of each two-sample test.
        dpi: resolution of pages whose recipe determines none.
        seed: of all draws.
    """

    pool_documents: int = 160
    test_documents: int = 80
    dpi: int = 144
    seed: int = 0

    @property
    def documents(self) -> int:
        """Return the number of documents that a fit draws."""
        return 2 * self.pool_documents + 2 * self.test_documents


def fit_recipe(
    samples: Sequence[RealSample],
    cache: AnyPath,
    pool: ShardPool,
    *,
    base: Recipe | None = None,
    settings: FitSettings | None = None,
    on_documents: Progress | None = None,
) -> FittedRecipe:
    """Fit a recipe to real documents.

    Args:
        samples: the real documents.
        cache: folder for measures of synthetic documents; a fit that is repeated draws none again.
        pool: where documents are drawn.
        base: recipe that the fit starts from and is shrunk towards; the default recipe if not given.
        settings: numbers of documents, resolution and seed.
        on_documents: called with the number of synthetic documents that were measured.

    Raises:
        UserError: there are too few real documents for a two-sample test.
    """
    base, settings = base or Recipe(), settings or FitSettings()
    real = [sample.measured for sample in samples]

    def draw(name: str, recipe: Recipe, count: int, number: int) -> list[MeasuredDocument]:
        plan = seed_plan(f"batch-{900 + number}", count, settings.seed * 10 + number, recipe)
        return measure_plan(plan, cache / name, pool, dpi=settings.dpi, on_documents=on_documents)

    counted, changed = _counted(samples, base)
    capture = first_settings(real, counted)
    wide = capture.applied(_widened(counted))
    first = draw("pool-1", wide, settings.pool_documents, 1)
    estimate = estimate_recipe(counted, SharePool(first, real), len(real))
    capture = corrected_settings(capture, real, first, counted)
    near = draw("pool-2", capture.applied(_between(counted, estimate.recipe)), settings.pool_documents, 2)
    estimate = estimate_recipe(counted, SharePool(near, real), len(real), earlier=estimate)
    capture = corrected_settings(capture, real, near, counted)
    fitted = capture.applied(estimate.recipe)
    default = draw("test-default", base, settings.test_documents, 3)
    drawn = draw("test-fitted", fitted, settings.test_documents, 4)
    theirs = [document.measures for document in real]
    return FittedRecipe(
        recipe=fitted,
        changed=(*changed, *_capture_changes(capture), *estimate.changed),
        kept=estimate.invisible,
        before=two_sample_test(theirs, [document.measures for document in default]),
        after=two_sample_test(theirs, [document.measures for document in drawn]),
        warnings=_warnings(samples),
        synthetic=tuple(drawn),
    )


def _warnings(samples: Sequence[RealSample]) -> tuple[str, ...]:
    found = []
    if len(samples) < SMALL_SAMPLE:
        found.append(
            f"only {len(samples)} real documents: shares of values are known to about ±"
            f"{0.98 / len(samples) ** 0.5:.0%}, and the intervals of the test are wide; "
            f"{SMALL_SAMPLE} or more are better"
        )
    for what in ("document_type", "locale"):
        unknown = sum(getattr(sample, what) is None for sample in samples)
        if unknown:
            found.append(
                f"{what.replace('_', ' ')} of {unknown} of {len(samples)} documents is undetermined; they are left "
                "out of its count"
            )
    return tuple(found)


def _counted(samples: Sequence[RealSample], base: Recipe) -> tuple[Recipe, list[ChangedWeight]]:
    """Return the base recipe with the document types and locales of the real documents."""
    types = Counter(sample.document_type for sample in samples if sample.document_type)
    locales = Counter(sample.locale for sample in samples if sample.locale)
    types_before = {str(name): weight for name, weight in base.document_types.items()}
    type_shares = _shrunk(types, types_before, CHOICE_PRIOR)
    locale_shares = _shrunk(locales, base.locale_weights(), CHOICE_PRIOR)
    counted = base.model_copy(
        update={
            "document_types": {DocumentType(name): share for name, share in type_shares.items()},
            "locales": locale_shares,
            "tax_regimes": None,
        }
    )
    return counted, [
        *changes("document_types", types_before, type_shares, lambda name: f"{types[name]} documents"),
        *changes("locales", base.locale_weights(), locale_shares, lambda name: f"{locales[name]} documents"),
    ]


def _shrunk(counts: Mapping[str, int], start: Mapping[str, float], prior: float) -> dict[str, float]:
    """Return the shares of counted names, shrunk towards shares at the start."""
    total, of_start = sum(counts.values()), sum(start.values())
    if not total:
        return {name: round(weight / of_start, 5) for name, weight in start.items()}
    names = {**dict.fromkeys(start, 0), **counts}
    return {
        name: round((counts.get(name, 0) + prior * start.get(name, 0.0) / of_start) / (total + prior), 5)
        for name in names
    }


def _widened(recipe: Recipe) -> Recipe:
    """Return a recipe that draws every visible value often enough to learn what it looks like."""
    knobs = recipe.knobs.model_copy(update=dict.fromkeys(VISIBLE_KNOBS, _WIDE_KNOB) | {"degradation": 1.0})
    even = {document_type: dict.fromkeys(Channel, 1.0) for document_type in DocumentType}
    return recipe.model_copy(
        update={
            "knobs": knobs,
            "channels": even,
            "colours": dict.fromkeys(Colours, 1.0),
            "layouts": dict.fromkeys(LAYOUT_FACTS, 1.0),
        }
    )


def _between(counted: Recipe, estimate: Recipe) -> Recipe:
    """Return a recipe between an estimate and the wide one: near the real documents, and still with every value."""
    wide = _widened(counted)
    knobs = {name: round((getattr(estimate.knobs, name) + getattr(wide.knobs, name)) / 2, 4) for name in VISIBLE_KNOBS}
    return estimate.model_copy(
        update={
            "knobs": estimate.knobs.model_copy(update=knobs | {"degradation": (estimate.knobs.degradation + 1.0) / 2}),
            "channels": {name: _mixed(weights, wide.channels[name]) for name, weights in estimate.channels.items()},
            "colours": _mixed(estimate.colours, wide.colours),
            "layouts": _mixed(estimate.layouts, wide.layouts),
        }
    )


def _mixed(one: Mapping[_Name, float], other: Mapping[_Name, float]) -> dict[_Name, float]:
    totals = sum(one.values()), sum(other.values())
    return {
        name: 0.7 * one.get(name, 0.0) / totals[0] + 0.3 * other.get(name, 0.0) / totals[1] for name in {**one, **other}
    }


def _capture_changes(capture: CaptureSettings) -> list[ChangedWeight]:
    return [
        ChangedWeight(f"{field}.{value}", None, round(weight, 4), evidence)
        for field, evidence in (
            ("resolutions", "widths of the real pages, on paper of their type"),
            ("rolls", "widths of the real receipts"),
            ("paper_levels", "brightness of the real pages' paper"),
            ("ink_levels", "brightness of the real pages' print, less what blur and thin strokes add"),
            ("paper_warmths", "red less blue of the real pages' paper"),
            ("stretches", "widths of real letters, against those of synthetic ones"),
            ("line_spacings", "distances of real lines, against those of synthetic ones"),
        )
        for value, weight in (getattr(capture, field) or {}).items()
    ]


def with_document_facts(
    samples: Sequence[RealSample], document_type: str | None, locale: str | None
) -> tuple[RealSample, ...]:
    """Return samples in which a given document type or locale stands where none was determined."""
    return tuple(
        replace(sample, document_type=sample.document_type or document_type, locale=sample.locale or locale)
        for sample in samples
    )
