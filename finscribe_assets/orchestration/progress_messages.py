"""Progress as log messages of a run: assets write them, and the display of a run reads them back."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import dagster as dg

_MESSAGE = re.compile(r"(\d+) of (\d+) (.+)", re.DOTALL)


class ProgressMessage(NamedTuple):
    """How far an asset is: ``done`` of ``total`` items, and what the items are."""

    done: int
    total: int
    text: str

    def __str__(self) -> str:
        """Return the message as it stands in the log: ``12 of 32 documents rendered``."""
        return f"{self.done} of {self.total} {self.text}"


def parse_progress(message: str) -> ProgressMessage | None:
    """Return the progress that a log message reports; None for any other message."""
    match = _MESSAGE.fullmatch(message)
    return ProgressMessage(int(match[1]), int(match[2]), match[3]) if match else None


def progress(context: dg.AssetExecutionContext, total: int, text: str) -> Callable[[int], None]:
    """Return a callback that logs progress twenty times in all.

    Args:
        context: The running asset's context.
        total: Number of items in all.
        text: What the items are, such as ``documents rendered``.

    Returns:
        A function that is called with the number of items finished since its last call.
    """
    done = logged = 0

    def advance(items: int) -> None:
        nonlocal done, logged
        done += items
        if done == total or done - logged >= total / 20:
            context.log.info(str(ProgressMessage(done, total, text)))
            logged = done

    return advance
