"""Progress bars: what is done, how fast, and how long it will take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

console = Console()


class Advance(Protocol):
    """What tells a bar how far things are."""

    def __call__(self, done: int, of: int | None = None) -> None:
        """Add ``done`` to what is done; ``of`` sets how much there is."""
        ...


@contextmanager
def bar(total: int | None, what: str) -> Iterator[Advance]:
    """Show a bar while the block runs; give a callback that takes how many more are done, and of how many, once known.

    On a stream that is no terminal nothing is drawn: logs stay readable, and the summary says what was done.
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
        task = progress.add_task(what, total=total, rate="")

        def advance(done: int, of: int | None = None) -> None:
            progress.update(task, advance=done, total=total if of is None else of)
            speed = progress.tasks[task].speed
            progress.update(task, rate=f"{speed:,.1f}/s" if speed else "")

        yield advance
