"""Log lines of the service: one JSON object a line, without anything that a document says.

What belongs here: the form of the lines. File names, values and texts are never logged, as they are contents of
documents; a document is identified by the id of its request.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

LOGGER = logging.getLogger("finscribe.service")


class JsonLines(logging.Formatter):
    """Formats log records, the web server's among them, as JSON objects."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as one line; of an exception, its type and where it was raised, not its message."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            **(getattr(record, "fields", None) or {"event": "message", "text": record.getMessage()}),
        }
        if record.exc_info and record.exc_info[0]:
            line |= {"error": record.exc_info[0].__name__, "raised_at": _raised_at(record.exc_info[2])}
        return json.dumps(line, ensure_ascii=False, default=str)


def _raised_at(trace: Any) -> list[str]:
    """Return the innermost calls of a traceback: an exception's message may quote a document, its code does not."""
    calls = []
    while trace is not None:
        code = trace.tb_frame.f_code
        calls.append(f"{code.co_filename}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return calls[-5:]


def log_event(event: str, *, level: str = "info", error: Any = None, exc_info: Any = None, **fields: Any) -> None:
    """Write one line.

    Args:
        event: What happened, such as ``document``.
        level: Name of a level of `logging`.
        error: Name of the type of an error.
        exc_info: An exception, of which type and place are logged.
        fields: Further members of the line; nothing that a document says.
    """
    members = {"event": event, **({"error": error} if error else {}), **fields}
    LOGGER.log(logging.getLevelNamesMapping()[level.upper()], event, extra={"fields": members}, exc_info=exc_info)


def log_to_stderr() -> None:
    """Send the lines of the service and of the web server to the error stream."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    for name in (LOGGER.name, "uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.INFO)
    logging.getLogger("uvicorn.error").handlers = []
    logging.getLogger("uvicorn.error").propagate = True
