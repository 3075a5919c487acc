"""What commands print: progress bars and tables, on one console."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

console = Console()
MAX_ROW_NAME = 16  # characters


def print_error(message: str) -> None:
    """Print what went wrong on the error stream, as one line."""
    Console(stderr=True).print(f"[bold red]finscribe:[/] {escape(message)}", highlight=False, soft_wrap=True)


def print_note(message: str) -> None:
    """Print something to know on the error stream, so that it does not mix with records on the output."""
    Console(stderr=True).print(escape(message), highlight=False, soft_wrap=True)


class Advance(Protocol):
    """A callback that moves a progress bar."""

    def __call__(self, done: int, of: int | None = None) -> None:
        """Add ``done`` items; ``of`` sets the number of items in all."""
        ...


@contextmanager
def bar(total: int | None, text: str) -> Iterator[Advance]:
    """Show a progress bar while the block runs.

    Nothing is drawn where the output is not a terminal, so that logs stay readable.

    Args:
        total: Number of items; None where it is not known yet.
        text: What the items are, such as ``documents rendered``.

    Yields:
        A callback that takes the number of items finished since its last call.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(text, total=total, rate="")

        def advance(done: int, of: int | None = None) -> None:
            progress.update(task, advance=done, total=total if of is None else of)
            speed = progress.tasks[task].speed
            progress.update(task, rate=f"{speed:,.1f}/s" if speed else "")

        yield advance


def show(title: str, rows: Sequence[dict[str, Any]]) -> None:
    """Print rows of one form as a table; print nothing where there are none."""
    if not rows:
        return
    table = Table(title=title, title_justify="left")
    for index, (column, value) in enumerate(rows[0].items()):
        # A narrow terminal folds values, but not the short names that rows are known by.
        is_name = index == 0 and all(len(str(row.get(column))) <= MAX_ROW_NAME for row in rows)
        table.add_column(
            column, overflow="fold", justify="right" if isinstance(value, int | float) else "left", no_wrap=is_name
        )
    for row in rows:
        table.add_row(
            *(
                "" if value is None else f"{value:.4f}" if isinstance(value, float) else str(value)
                for value in row.values()
            )
        )
    console.print(table)
