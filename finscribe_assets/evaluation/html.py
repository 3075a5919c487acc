"""The evaluation report as one self-contained HTML page, for people; its tables have headers for a screen reader."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jinja2 import Environment

from finscribe_assets.evaluation.report import EvaluationReport

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Evaluation of {{ report.reader }}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24; }
table { border-collapse: collapse; margin: 0.5rem 0 2rem; }
caption { text-align: left; font-weight: 600; padding: 0.4rem 0; }
th, td { text-align: left; padding: 0.25rem 0.9rem 0.25rem 0; border-bottom: 1px solid #d8dee4; }
td.number { text-align: right; font-variant-numeric: tabular-nums; } .note { color: #57606a; }
</style></head><body>
<h1>Evaluation of {{ report.reader }}</h1>
<p class="note">{{ report.documents }} documents, {{ report.predicted }} with a prediction.
Regions: {{ report.layout }}. Intervals are 95 % bootstrap intervals over documents. {{ note }}</p>
{% for caption, rows in tables if rows %}
<table><caption>{{ caption }}</caption>
<thead><tr>{% for name in rows[0] %}<th scope="col">{{ name.replace("_", " ") }}</th>{% endfor %}</tr></thead>
<tbody>{% for row in rows %}<tr>{% for value in row.values() %}<td{% if value is number %} class="number"{% endif %}>
{{- "" if value is none else value }}</td>{% endfor %}</tr>{% endfor %}</tbody></table>
{% endfor %}
</body></html>
"""

EMBEDDED_NOTE = (
    "These are scores of the embedded demonstration model on synthetic pages; they say nothing about PaddleOCR-VL."
)


def to_html(report: EvaluationReport, note: str = "") -> str:
    """Return the report as a page; every value is escaped."""
    tables: list[tuple[str, Sequence[dict[str, Any]]]] = [
        ("Headline", headline_rows(report)),
        ("Targets", [{"target": name, "verdict": verdict} for name, verdict in report.targets.items()]),
        ("Against other readers", [{"reader": name, **row} for name, row in report.comparisons.items()]),
        ("By element", report.by_element),
        ("By document type and locale", report.by_slice),
        ("By exposure", report.by_exposure),
        ("By field", report.by_field),
        ("Responses", [{"fate": name, "documents": count} for name, count in report.fates.items()]),
        (
            "Problems of the predictions file",
            [{"problem": name, "count": count} for name, count in report.problems.items()],
        ),
        ("Calibration", (report.calibration or {}).get("bins", [])),
    ]
    return Environment(autoescape=True).from_string(_PAGE).render(report=report, tables=tables, note=note)


def headline_rows(report: EvaluationReport) -> list[dict[str, Any]]:
    """Return the headline figures as rows of a table."""
    return [{"measure": name, "value": figure.value, "low": figure.low, "high": figure.high, "n": figure.n}
            if figure else {"measure": name, "value": None, "low": None, "high": None, "n": 0}
            for name, figure in report.headline.items()]  # fmt: skip
