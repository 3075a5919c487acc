"""Write the evaluation report as one self-contained HTML page, which loads nothing.

The page is accessible to screen readers: tables have captions and headers for rows and columns, images have alternative
texts, and nothing is expressed by colour alone.
"""

from __future__ import annotations

import base64
import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from finscribe_assets.evaluation.calibration import reliability_diagram
from finscribe_assets.evaluation.report import EvaluationReport, grounding_rows, headline_rows, target_rows
from finscribe_assets.evaluation.worst_documents import ComparedField, PageIllustration

EMBEDDED_NOTE = (
    "These are scores of the embedded demonstration model on synthetic pages; they say nothing about PaddleOCR-VL."
)
MAX_DIFFERENCE_LENGTH = 400  # characters of values whose difference is marked

TableRows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class RobustnessSection:
    """What a probe found of the reader and of its base, shown below the targets.

    Attributes:
        image: the map of factors × elements, a PNG.
        rows: the same as text, for each factor and element that is harmful to either; the first column names a row.
    """

    image: bytes
    rows: TableRows = ()


def report_to_html(
    report: EvaluationReport,
    note: str = "",
    illustrations: Mapping[str, Sequence[PageIllustration]] | None = None,
    robustness: RobustnessSection | None = None,
) -> str:
    """Return the report as an HTML page; every value is escaped.

    Args:
        report: the report.
        note: a sentence that is shown at the top.
        illustrations: pages of the worst documents, by document id.
        robustness: what a probe found; None if the reader was not probed.
    """
    environment = Environment(
        loader=PackageLoader("finscribe_assets.evaluation"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"cell": _cell, "difference": mark_difference, "data_uri": _data_uri}
    return environment.get_template("report.html").render(
        report=report,
        note=note,
        summary=[
            ("Headline", headline_rows(report)),
            ("What was judged", [report.judged.row()] if report.judged and report.judged.partly_labelled else []),
            ("Grounding: correct values with the box where they are printed", grounding_rows(report)),
            ("Targets of the training strategy", target_rows(report.targets)),
        ],
        robustness=robustness,
        tables=_tables(report),
        details=_detail_tables(report),
        diagram=reliability_diagram(report.calibration) if report.calibration else b"",
        illustrations=illustrations or {},
        comparisons=_comparisons(report),
    )


def _tables(report: EvaluationReport) -> list[tuple[str, TableRows]]:
    """Return the tables of parts of the documents, which are shown at once, by caption."""
    dimensions = list(dict.fromkeys(name for part in report.slices for name in part.attributes))
    return [
        ("By element", [tally.model_dump() for tally in report.by_element]),
        (
            "Grounding by element",
            [tally.model_dump() for tally in report.grounding.by_element] if report.grounding else [],
        ),
        ("By calculation rule", [tally.model_dump() for tally in report.by_rule]),
        *((f"By {name.replace('_', ' ')}", [part.row() for part in report.sliced_by(name)]) for name in dimensions),
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


def _data_uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.4f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def mark_difference(field: ComparedField) -> Markup:
    """Return the predicted value, with missing characters marked as deletions and extra ones as insertions."""
    true, predicted = field.truth or "", field.predicted or ""
    if not true or not predicted or max(len(true), len(predicted)) > MAX_DIFFERENCE_LENGTH:
        return escape(predicted)
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
