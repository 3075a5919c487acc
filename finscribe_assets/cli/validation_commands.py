"""The command that validates documents with the official EN 16931 validator: validate."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from finscribe_assets.cli.console_output import bar, console, show
from finscribe_assets.errors import UserError

FAILURES_PRINTED = 50  # a batch that is wrong throughout has thousands


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(validate)


def validate(
    documents: Annotated[
        list[Path],
        typer.Argument(
            help="Workspaces, files in the ground-truth format (documents.jsonl), UBL files, or folders of them.",
            exists=True,
        ),
    ],
    sample: Annotated[int | None, typer.Option(min=1, help="Validate this number of them, drawn at random.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of that sample.")] = 0,
    xml_dir: Annotated[
        Path | None, typer.Option(help="Also write each document as UBL into this folder.", file_okay=False)
    ] = None,
) -> None:
    """Validate invoices and credit notes against UBL 2.1 and the official EN 16931 schematron.

    Documents are exported to UBL and validated by independent code. Documents that EN 16931 does not cover (receipts,
    orders, statements, taxes other than VAT) are counted and left out. The exit status is 1 if a document fails.

    Needs the extra `validate`: pip install 'finscribe-assets[validate]'
    """
    from finscribe_assets.documents.schematron import require_validate_extra
    from finscribe_assets.documents.schematron import validate_ubl as judge
    from finscribe_assets.documents.ubl_validation import find_candidates, load_ubl, save_each

    require_validate_extra()
    found = find_candidates(documents)
    show("left out", [{"documents": count, "because": reason} for reason, count in found.skipped.most_common()])
    if not found.candidates:
        raise UserError(
            f"{', '.join(map(str, documents))}: EN 16931 covers none of these documents, so nothing was validated"
        )
    chosen = found.sample(sample, seed) if sample else found
    contents = load_ubl(chosen.candidates)
    verdicts = []
    with bar(len(chosen.candidates), "documents validated") as advance:
        for verdict in judge(save_each(contents, xml_dir) if xml_dir else contents):
            verdicts.append(verdict)
            advance(1)
    failures = [(verdict.name, finding) for verdict in verdicts for finding in verdict.failures]
    warnings = Counter(
        (finding.rule, finding.text) for verdict in verdicts for finding in verdict.findings if not finding.is_fatal
    )
    show(
        "warnings",
        [{"rule": rule, "documents": count, "message": text} for (rule, text), count in warnings.most_common()],
    )
    rows = [
        (name, finding.rule, f"{finding.text}\n{finding.location}".strip())
        for name, finding in failures[:FAILURES_PRINTED]
    ]
    show("failures", [{"document": name, "rule": rule, "message": message} for name, rule, message in rows])
    if len(failures) > FAILURES_PRINTED:
        console.print(f"… and {len(failures) - FAILURES_PRINTED} more")
    failed = len({name for name, _ in failures})
    console.print(f"{len(verdicts)} documents validated, {failed} failed")
    if failed:
        raise typer.Exit(1)
