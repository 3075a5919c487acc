"""The evaluation report as one self-contained HTML page, for people: nothing is loaded from anywhere.

It is held open to a screen reader: tables have captions and headers for rows and columns, pictures have a text, and
nothing is told by colour alone.
"""

from __future__ import annotations

import base64
import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from finscribe_assets.evaluation.calibration import reliability_diagram
from finscribe_assets.evaluation.report import EvaluationReport, headline_rows, target_rows
from finscribe_assets.evaluation.worst_documents import ComparedField, PageIllustration

EMBEDDED_NOTE = (
    "These are scores of the embedded demonstration model on synthetic pages; they say nothing about PaddleOCR-VL."
)
LONGEST_COMPARED = 400  # characters of two values whose difference is marked

Rows = Sequence[Mapping[str, Any]]


def to_html(
    report: EvaluationReport, note: str = "", pictures: Mapping[str, Sequence[PageIllustration]] | None = None
) -> str:
    """Return the report as a page; every value is escaped.

    ``pictures`` are pages of the worst documents, by id.
    """
    diagram = base64.b64encode(reliability_diagram(report.calibration)).decode() if report.calibration else ""
    environment = Environment(
        loader=PackageLoader("finscribe_assets.evaluation"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"cell": _cell, "difference": difference}
    return environment.get_template("report.html").render(
        report=report,
        note=note,
        tables=_tables(report),
        details=_details(report),
        diagram=diagram,
        pictures=pictures or {},
        comparisons=_comparisons(report),
    )


def _tables(report: EvaluationReport) -> list[tuple[str, Rows]]:
    """Return what everybody wants to see."""
    dimensions = list(dict.fromkeys(name for one in report.slices for name in one.of))
    return [
        ("Headline", headline_rows(report)),
        ("Targets of the training strategy", target_rows(report.targets)),
        ("By element", [tally.model_dump() for tally in report.by_element]),
        ("By rule of arithmetic", [tally.model_dump() for tally in report.by_rule]),
        *((f"By {name.replace('_', ' ')}", [one.row() for one in report.sliced_by(name)]) for name in dimensions),
        ("Rows of lists", [tally.model_dump() for tally in report.by_row]),
        (
            "Values that are none of their kind, or that nothing decides",
            [{"note": name, "values": count} for name, count in report.notes.items()],
        ),
        (
            "What reading the responses met with",
            [{"parse status": name, "documents": count} for name, count in report.parse_statuses.items()],
        ),
        (
            "Problems of the predictions file",
            [
                {"problem": name, "count": count, "first of them": ", ".join(report.problem_places.get(name, [])[:5])}
                for name, count in report.problems.items()
            ],
        ),
    ]


def _details(report: EvaluationReport) -> list[tuple[str, Rows]]:
    """Return long tables, which are folded."""
    crossed = max((tuple(one.of) for one in report.slices), key=len, default=())
    return [
        ("By field", [tally.model_dump() for tally in report.by_field]),
        (
            f"By {' × '.join(crossed).replace('_', ' ')}",
            [one.row() for one in report.sliced_by(*crossed)] if len(crossed) > 1 else [],
        ),
        (
            f"Values of low confidence ({report.low_confidence_fields:,})",
            [row.model_dump() for row in report.low_confidence],
        ),
    ]


def _comparisons(report: EvaluationReport) -> list[tuple[str, Rows, Rows]]:
    found: list[tuple[str, Rows, Rows]] = []
    for name, compared in report.comparisons.items():
        measures = [
            {"measure": measure, **difference.model_dump()}
            for measure, difference in compared.measures.items()
            if difference
        ]
        changes = [
            {
                "document": change.id,
                "became": word,
                "F1": change.this_f1,
                "F1 of the other": change.other_f1,
                "gained": ", ".join(change.gained),
                "lost": ", ".join(change.lost),
            }
            for word, changed in (("better", compared.improved), ("worse", compared.worsened))
            for change in changed
        ]
        title = f"Against {name}: {compared.better} documents better, {compared.worse} worse, {compared.same} the same"
        found.append((title, measures, changes))
    return found


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.4f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def difference(field: ComparedField) -> Markup:
    """Return what was read, with what is too much and what is lacking marked as insertions and deletions."""
    true, said = field.truth or "", field.predicted or ""
    if not true or not said or max(len(true), len(said)) > LONGEST_COMPARED:
        return escape(said)
    matcher = difflib.SequenceMatcher(None, true, said, autojunk=False)
    return Markup("").join(_marked(matcher.get_opcodes(), true, said))


def _marked(operations: Iterable[tuple[str, int, int, int, int]], true: str, said: str) -> Iterable[Markup]:
    for name, a, b, c, d in operations:
        if name == "equal":
            yield escape(said[c:d])
            continue
        if b > a:
            yield Markup("<del>{}</del>").format(true[a:b])
        if d > c:
            yield Markup("<ins>{}</ins>").format(said[c:d])
