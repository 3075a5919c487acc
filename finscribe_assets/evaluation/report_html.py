"""Write the evaluation report as one self-contained HTML page, which loads nothing.

The first screen says what came out (`report_opening.py`); a table of contents and everything else follow. The page has
less than 1 MB: long tables end with a note, and `report.json` has all of their rows. The same report gives the same
bytes: no time of making is in it.

The page is accessible to screen readers: tables have captions and headers for rows and columns, images have alternative
texts, and nothing is expressed by colour alone.
"""

from __future__ import annotations

import base64
import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from finscribe_assets.evaluation.calibration import reliability_diagram
from finscribe_assets.evaluation.failure_excerpts import PageIllustration
from finscribe_assets.evaluation.interval_drawings import ForestRow, forest_plot
from finscribe_assets.evaluation.metrics import Estimate
from finscribe_assets.evaluation.report import EvaluationReport, grounding_rows, headline_rows, target_rows
from finscribe_assets.evaluation.report_opening import CausePanel, RobustnessSection, TableRows, open_report
from finscribe_assets.evaluation.slices import Slice
from finscribe_assets.evaluation.worst_documents import ComparedField

EMBEDDED_NOTE = (
    "These are scores of the embedded demonstration model on synthetic pages; they say nothing about PaddleOCR-VL."
)
MAX_DIFFERENCE_LENGTH = 200  # characters of values whose difference is marked
MAX_PAGE_ROWS = 150  # of a table on the page
MAX_FAILED_ROWS, MAX_CORRECT_ROWS = 60, 40  # of one of the worst documents
MAX_SHOWN_LENGTH, MAX_RESPONSE_LENGTH = 160, 1500  # characters on the page
MIN_FOREST_ROWS = 2


class SliceSection(NamedTuple):
    """The slices by one dimension: a forest plot of field F1, and a table of all metrics."""

    caption: str
    plot: Markup
    rows: TableRows


def report_to_html(
    report: EvaluationReport,
    note: str = "",
    illustrations: Mapping[str, Sequence[PageIllustration]] | None = None,
    robustness: RobustnessSection | None = None,
    causes: Sequence[CausePanel] = (),
) -> str:
    """Return the report as an HTML page; every value is escaped.

    Args:
        report: the report.
        note: a sentence that is shown at the top.
        illustrations: pages of the worst documents, by document id.
        robustness: what a probe found; None if the reader was not probed.
        causes: the worst causes of failures, for the first screen.
    """
    environment = Environment(
        loader=PackageLoader("finscribe_assets.evaluation"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"cell": _cell, "difference": mark_difference, "data_uri": _data_uri}
    environment.globals |= {
        "max_rows": MAX_PAGE_ROWS,
        "max_failed": MAX_FAILED_ROWS,
        "max_correct": MAX_CORRECT_ROWS,
        "max_response": MAX_RESPONSE_LENGTH,
    }
    return environment.get_template("report.html").render(
        report=report,
        note=note,
        summary=[
            ("Headline", _readable(headline_rows(report))),
            ("What was judged", [report.judged.row()] if report.judged and report.judged.partly_labelled else []),
            ("Grounding: correct values with the box where they are printed", _readable(grounding_rows(report))),
            ("Targets of the training strategy", target_rows(report.targets)),
        ],
        opening=open_report(report, robustness, causes),
        robustness=robustness,
        slices=_slice_sections(report),
        tables=_tables(report),
        details=_detail_tables(report),
        diagram=reliability_diagram(report.calibration) if report.calibration else b"",
        illustrations=illustrations or {},
        comparisons=_comparisons(report),
    )


def _tables(report: EvaluationReport) -> list[tuple[str, TableRows]]:
    """Return the tables of parts of the documents, which are shown at once, by caption."""
    return [
        ("By element", [tally.model_dump() for tally in report.by_element]),
        (
            "Grounding by element",
            [tally.model_dump() for tally in report.grounding.by_element] if report.grounding else [],
        ),
        ("By calculation rule", [tally.model_dump() for tally in report.by_rule]),
        ("Rows of lists", [tally.model_dump() for tally in report.by_row]),
        (
            "Predicted values that could not be normalised",
            [{"reason": name, "values": count} for name, count in report.notes.items()],
        ),
        (
            "Parse status of the responses",
            [{"parse status": name, "documents": count} for name, count in report.parse_statuses.items()],
        ),
        (
            "Problems of the predictions file",
            [
                {
                    "problem": name,
                    "count": count,
                    "first locations": ", ".join(report.problem_locations.get(name, [])[:5]),
                }
                for name, count in report.problems.items()
            ],
        ),
    ]


def _slice_sections(report: EvaluationReport) -> list[SliceSection]:
    """Return the slices by each dimension, with their field F1 as a forest plot."""
    dimensions = list(dict.fromkeys(name for part in report.slices for name in part.attributes))
    sections = []
    for name in dimensions:
        parts = report.sliced_by(name)
        caption = f"By {name.replace('_', ' ')}"
        sections.append(SliceSection(caption, _slice_plot(report, name, parts), [part.row() for part in parts]))
    return sections


def _slice_plot(report: EvaluationReport, name: str, parts: Sequence[Slice]) -> Markup:
    whole = report.headline.get("field_f1")
    rows = [
        _forest_row(part, part.attributes[name].replace("_", " "), f1)
        for part in parts[:MAX_PAGE_ROWS]
        if (f1 := part.metrics["field_f1"])
    ]
    if whole is None or len(rows) < MIN_FOREST_ROWS:
        return Markup()
    return forest_plot(rows, whole.value, f"all {whole.value:.1%}")


def _forest_row(part: Slice, label: str, f1: Estimate) -> ForestRow:
    if part.documents == 1:  # resampling one document gives an interval without width, which says nothing
        return ForestRow(label, f1.value, note="one document")
    return ForestRow(label, f1.value, f1.low, f1.high, f"n = {part.documents:,}")


def _detail_tables(report: EvaluationReport) -> list[tuple[str, TableRows]]:
    """Return the long tables, which are folded, by caption."""
    crossed = max((tuple(part.attributes) for part in report.slices), key=len, default=())
    return [
        ("By field", [tally.model_dump() for tally in report.by_field]),
        (
            f"By {' × '.join(crossed).replace('_', ' ')}",
            [part.row() for part in report.sliced_by(*crossed)] if len(crossed) > 1 else [],
        ),
        (
            f"Values of low confidence ({report.low_confidence_count:,})",
            [field.model_dump() for field in report.low_confidence],
        ),
    ]


def _comparisons(report: EvaluationReport) -> list[tuple[str, TableRows, TableRows]]:
    """Return title, metrics and changed documents of each comparison with another reader."""
    tables: list[tuple[str, TableRows, TableRows]] = []
    for name, compared in report.comparisons.items():
        metrics = [
            {"metric": metric, **difference.model_dump()}
            for metric, difference in compared.metrics.items()
            if difference
        ]
        changes = [
            {
                "document": change.id,
                "change": direction,
                "F1": change.this_f1,
                "F1 of the other reader": change.other_f1,
                "gained": ", ".join(change.gained),
                "lost": ", ".join(change.lost),
            }
            for direction, changed in (("better", compared.improved), ("worse", compared.worsened))
            for change in changed
        ]
        title = f"Against {name}: {compared.better} documents better, {compared.worse} worse, {compared.same} the same"
        tables.append((title, metrics, changes))
    return tables


def _readable(rows: TableRows) -> TableRows:
    """Return rows of metrics with spaces in the names."""
    return [{**row, "metric": str(row["metric"]).replace("_", " ")} for row in rows]


def _data_uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.4f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    text = str(value)
    return text if len(text) <= MAX_SHOWN_LENGTH else f"{text[: MAX_SHOWN_LENGTH - 1]}…"


def mark_difference(field: ComparedField) -> Markup:
    """Return the predicted value, with missing characters marked as deletions and extra ones as insertions."""
    true, predicted = field.truth or "", field.predicted or ""
    if not true or not predicted or max(len(true), len(predicted)) > MAX_DIFFERENCE_LENGTH:
        return escape(_cell(predicted))
    matcher = difflib.SequenceMatcher(None, true, predicted, autojunk=False)
    return Markup("").join(_marked(matcher.get_opcodes(), true, predicted))


def _marked(operations: Iterable[tuple[str, int, int, int, int]], true: str, predicted: str) -> Iterable[Markup]:
    for name, true_start, true_end, start, end in operations:
        if name == "equal":
            yield escape(predicted[start:end])
            continue
        if true_end > true_start:
            yield Markup("<del>{}</del>").format(true[true_start:true_end])
        if end > start:
            yield Markup("<ins>{}</ins>").format(predicted[start:end])
