"""The first screen of the report page: verdicts, gains over other readers, the worst causes, the robustness map.

What belongs here: choosing and wording its content. `report_html.py` writes the page, and `iteration/` finds the
causes, since it knows the probe and the pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.evaluation.failure_excerpts import PageIllustration
from finscribe_assets.evaluation.interval_drawings import ForestRow, forest_plot, in_points, interval_bar
from finscribe_assets.evaluation.report import TARGETS, EvaluationReport, Proof, Target, Verdict

WORST_CAUSES = 3
MAP_FACTORS, MAP_COLOUR_AT = 7, 0.5  # rows of the map; effect from which a cell has the darkest colour
TARGET_NAMES = {
    "field_accuracy": "Field accuracy",
    "teds": "Tables (TEDS)",
    "numeric_consistency": "Arithmetic holds",
}
BADGES: Mapping[Proof, str] = {
    "met": "✓ met",
    "missed": "✗ missed",
    "not provable": "? not provable",
    "not measured": "– not measured",
    "kept apart": "– kept apart",
}
TIME_VALUES: Mapping[Verdict, str] = {
    "met": "in time",
    "not met": "too slow",
    "not measured": "–",
    "kept apart": "timed",
}

TableRows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class HarmfulEffect:
    """A factor that a probe found harmful to the adapter: points of failure of an element, with the interval."""

    factor: str
    element: str
    effect: float
    low: float
    high: float
    pairs: int


@dataclass(frozen=True)
class RobustnessSection:
    """What a probe found of the reader and of its base.

    Attributes:
        image: the map of factors × elements, a PNG.
        rows: the same as text, for each factor and element that is harmful to either; the first column names a row.
        harmful: what harms the reader, the largest effect first.
        reader: what was probed, in words.
        recipe: whose factors were probed; None if it is unknown, so that no page can be drawn with a factor.
    """

    image: bytes
    rows: TableRows = ()
    harmful: tuple[HarmfulEffect, ...] = ()
    reader: str = "the adapter in use"
    recipe: Recipe | None = None


@dataclass(frozen=True)
class CausePanel:
    """A cause of failures for the first screen.

    Attributes:
        title: what fails, in a few words.
        evidence: how often, and how that is known.
        example: what was read in the picture, and what is printed there; empty if there is no picture.
        picture: a part of a page that shows it; None if no page is stored.
    """

    title: str
    evidence: str
    example: str = ""
    picture: PageIllustration | None = None


@dataclass(frozen=True)
class VerdictCard:
    """A target of the training strategy as the first screen shows it."""

    name: str
    required: str
    proof: Proof
    value: str
    note: str
    drawing: Markup

    @property
    def badge(self) -> str:
        """Return the verdict as text with a sign."""
        return BADGES[self.proof]

    @property
    def style(self) -> str:
        """Return the verdict as a name of a style."""
        return self.proof.replace(" ", "-")


@dataclass(frozen=True)
class MapCell:
    """A cell of the map: the effect on the base and on the adapter, in points of failure."""

    text: str
    shade: str
    weight: str


@dataclass(frozen=True)
class RobustnessGrid:
    """Harmful factors × elements, as far as they have room on the first screen."""

    elements: tuple[str, ...]
    rows: tuple[tuple[str, str, tuple[MapCell, ...]], ...]
    left_out: int = 0
    compared: bool = True  # with the base


@dataclass(frozen=True)
class ReportOpening:
    """What the first screen shows."""

    verdicts: tuple[VerdictCard, ...]
    gain: str
    gains: Markup
    causes: tuple[CausePanel, ...] = ()
    grid: RobustnessGrid = field(default_factory=lambda: RobustnessGrid((), ()))


def open_report(
    report: EvaluationReport, robustness: RobustnessSection | None, causes: Sequence[CausePanel]
) -> ReportOpening:
    """Return what the first screen of a report shows."""
    gain, gains = _gains(report)
    return ReportOpening(
        verdicts=tuple(map(verdict_card, report.targets)),
        gain=gain,
        gains=gains,
        causes=tuple(causes[:WORST_CAUSES]),
        grid=robustness_grid(robustness.rows if robustness else ()),
    )


def verdict_card(target: Target) -> VerdictCard:
    """Return a target as a card: what was measured, with its interval, beside what is required."""
    name, required = TARGET_NAMES.get(target.name, target.name.replace("_", " ").capitalize()), target.required
    estimate = target.measured
    if target.name not in TARGETS:
        note = (
            "Time and verdict are in the file …_time.json beside this page, because they differ from run to run."
            if target.verdict == "kept apart"
            else ""
        )
        return VerdictCard(name, f"{required} s", target.proof, TIME_VALUES[target.verdict], note, Markup())
    if estimate is None:
        return VerdictCard(name, required, target.proof, "–", "no observation", Markup())
    return VerdictCard(
        name,
        required,
        target.proof,
        f"{estimate.value:.1%}",
        f"95 % interval {estimate.low:.1%} to {estimate.high:.1%}, n = {estimate.n:,}",
        interval_bar(estimate.value, estimate.low, estimate.high, TARGETS[target.name]),
    )


def _gains(report: EvaluationReport) -> tuple[str, Markup]:
    """Return the gain over the first reader of the comparisons as a sentence, and the gains over all as a drawing."""
    rows, sentence = [], ""
    for name, compared in report.comparisons.items():
        gain = compared.metrics.get("field_f1")
        if gain is None:
            continue
        rows.append(ForestRow(f"against {name}", gain.difference, gain.low, gain.high))
        sign = "better" if gain.low > 0 else "worse" if gain.high < 0 else "no provable difference"
        sentence = sentence or (
            f"{in_points(gain.difference)} points of field F1 against {name}: {sign} "
            f"({compared.better} documents better, {compared.worse} worse, {compared.same} the same)"
        )
    if not rows:
        return "No other reader of these documents was given.", Markup()
    return sentence, forest_plot(rows, 0.0, "no difference", points=True)


def robustness_grid(rows: TableRows) -> RobustnessGrid:
    """Return harmful effects as a grid of factors × elements; rows without these columns give an empty one."""
    effects = [_uniform(row) for row in rows if {"factor", "element"} <= row.keys()]
    strongest: dict[str, float] = {}
    for row in effects:
        strength = max(row["adapter"], row["base"] or 0.0)
        strongest[row["factor"]] = max(strongest.get(row["factor"], strength), strength)
    factors = sorted(strongest, key=lambda factor: (-strongest[factor], factor))
    shown = factors[:MAP_FACTORS]
    elements = tuple(sorted({row["element"] for row in effects if row["factor"] in shown}))
    cells = {(row["factor"], row["element"]): _map_cell(row) for row in effects}
    statuses = {
        factor: ", ".join(dict.fromkeys(str(row["status"]) for row in effects if row["factor"] == factor))
        for factor in shown
    }
    empty = MapCell("", "transparent", "400")
    return RobustnessGrid(
        elements,
        tuple((name, statuses[name], tuple(cells.get((name, one), empty) for one in elements)) for name in shown),
        len(factors) - len(shown),
        not effects or any(row["base"] is not None for row in effects),
    )


def _uniform(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a row of effects of one reader in the columns of a comparison of two."""
    return {"base": None, "adapter": row.get("effect"), "status": row.get("verdict"), **row}


def _map_cell(row: Mapping[str, Any]) -> MapCell:
    before, after = row["base"], row["adapter"]
    strength = min(1.0, max(0.0, after) / MAP_COLOUR_AT)
    text = f"{100 * after:+.0f}" if before is None else f"{100 * before:+.0f} → {100 * after:+.0f}"
    return MapCell(text, f"rgba(193, 18, 31, {0.6 * strength:.2f})", "700" if row["status"] != "repaired" else "400")
