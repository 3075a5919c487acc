"""Commands about documents that people correct: queue."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from finscribe_assets.cli.console_output import console, show
from finscribe_assets.cli.evaluation_commands import named_file

QUEUE_ROWS_PRINTED = 15


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(queue)


def queue(
    predictions: Annotated[
        Path,
        typer.Argument(help="predictions.jsonl of `finscribe extract` or `predict`.", exists=True, dir_okay=False),
    ],
    output: Annotated[Path, typer.Option(help="Queue to write: one document a line, the most valuable first.")],
    other: Annotated[
        list[str] | None,
        typer.Option(help="Another reader's predictions of the same documents, as NAME=FILE; repeatable."),
    ] = None,
    ground_truth: Annotated[
        Path | None,
        typer.Option(help="Ground truth: values that it states need no correction.", exists=True, dir_okay=False),
    ] = None,
    records: Annotated[
        Path | None,
        typer.Option(help="Also write the predictions themselves in this order, for `finscribe review-export`."),
    ] = None,
    top: Annotated[int | None, typer.Option(min=1, help="Write only this number of documents.")] = None,
) -> None:
    """Order documents for correction by people: first those with the most values that are likely to be wrong.

    Evidence is low confidence, amounts that break a calculation rule, values that another reader (--other) reads
    otherwise, values that are not of their type, and usual fields that were not found. Each document says why.
    """
    from finscribe_assets.evaluation.prediction_files import prediction_lines
    from finscribe_assets.files import write_json_lines, write_text
    from finscribe_assets.iteration.real_batches import queue_files

    documents = queue_files(predictions, dict(map(named_file, other or ())), ground_truth)
    if records:
        by_id = prediction_lines(predictions)
        write_text(records, "".join(by_id[document.id] + "\n" for document in documents[:top]))
    write_json_lines(output, (document.model_dump(mode="json") for document in documents[:top]))
    rows = [document.row(rank) for rank, document in enumerate(documents[:QUEUE_ROWS_PRINTED], 1)]
    show(
        "documents to correct",
        [{name: escape(value) if isinstance(value, str) else value for name, value in row.items()} for row in rows],
    )
    expected = sum(document.gain for document in documents)
    console.print(
        f"{len(documents)} documents, in which a person is expected to change {expected:.0f} values: {output}"
    )
