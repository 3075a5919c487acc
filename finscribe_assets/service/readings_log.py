"""The log of readings: daily files of what the service has read, for monitoring and for the way back to people.

What belongs here: the form of the log, what it keeps of documents, and how long. It is written only where a folder is
named. A line is a record of `finscribe extract` with further members, so that `finscribe queue` and `review-export`
take a day's file as predictions, and documents that are kept can be imported.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finscribe_assets.documents.file_ids import document_id
from finscribe_assets.errors import UserError
from finscribe_assets.files import sha256_of, write_bytes
from finscribe_assets.opening.file_types import image_suffix, is_pdf
from finscribe_assets.service.document_reading import DocumentAnswer
from finscribe_assets.service.log_files import DAYS_FOLDER, LOG_FORM, day_files, day_of

if TYPE_CHECKING:
    from finscribe_assets.rendering.pages import Page

DOCUMENTS_FOLDER = "documents"
_STEM_LENGTH = 24  # hexadecimal digits of a kept document's name


class LogDetail(StrEnum):
    """How much of documents a log keeps."""

    MEASURES = "measures"  # confidence by field, rules that are broken, features of the pages: no value and no name
    VALUES = "values"  # the values and texts that were read, too
    DOCUMENTS = "documents"  # and the files of documents that a person should look at


class ReadingsLog:
    """Appends readings to the file of their day, and removes days that are past the retention."""

    def __init__(
        self,
        folder: Path,
        detail: LogDetail = LogDetail.MEASURES,
        days: int = 90,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Open a log.

        Args:
            folder: Of the log; made if it is not there, readable by its owner alone.
            detail: How much of documents is kept.
            days: Number of days that are kept, the present one included.
            now: Returns the present time.

        Raises:
            UserError: The folder cannot be written.
        """
        self._folder, self._detail, self._days, self._now = folder, detail, days, now
        self._lock = threading.Lock()
        self._day: date | None = None
        try:
            (folder / DAYS_FOLDER).mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.chmod(0o700)
        except OSError as error:
            raise UserError(f"--log {folder}: {error.strerror}; name a folder that can be written") from error

    def append(self, answer: DocumentAnswer, content: bytes, pages: tuple[Page, ...]) -> None:
        """Append a reading; the same file that is sent twice gives two lines with one content hash.

        Args:
            answer: What the client is answered.
            content: Of the file.
            pages: As they were read; their features are measured.

        Raises:
            OSError: The line cannot be written.
        """
        from finscribe_assets.measuring.measured_documents import measure_pages

        digest = sha256_of(content)
        stem = digest[:_STEM_LENGTH]
        name = stem + (".pdf" if is_pdf(content) else image_suffix(content))
        now = self._now()
        line: dict[str, Any] = {
            # The id that the kept document has when it is imported; it tells nothing of the uploaded file's name.
            "id": document_id(stem, [digest]),
            "form": LOG_FORM,
            "time": now.isoformat(timespec="seconds"),
            "content": digest,
            "pages": len(answer.pages),
            "read_by": answer.read_by.model_dump(),
            "needs_review": answer.needs_review,
            "review_reasons": answer.review_reasons,
            "broken_rules": [{"rule": item.rule, "path": item.path} for item in answer.broken_arithmetic],
            "confidence": {value.path: value.confidence for value in answer.values if value.confidence is not None},
            "values": len(answer.values),
            "measures": dict(measure_pages(answer.id, pages).measures),
        }
        day = now.date()
        keeps_file = self._detail is LogDetail.DOCUMENTS and answer.needs_review
        if self._detail is not LogDetail.MEASURES:
            kept = self._folder / DOCUMENTS_FOLDER / day.isoformat() / name
            line |= {key: value for key, value in answer.record.items() if key not in ("id", "file", "pages")}
            line["file"] = str(kept) if keeps_file else answer.file
            if keeps_file:
                write_bytes(kept, content)
        text = json.dumps(line, ensure_ascii=False) + "\n"
        with self._lock:
            if day != self._day:
                self._remove_old_days(day)
                self._day = day
            with (self._folder / DAYS_FOLDER / f"{day.isoformat()}.jsonl").open("ab") as stream:
                stream.write(text.encode())

    def _remove_old_days(self, today: date) -> None:
        oldest = today - timedelta(days=self._days - 1)
        for day, path in day_files(self._folder):
            if day < oldest:
                path.unlink(missing_ok=True)
        documents = self._folder / DOCUMENTS_FOLDER
        for folder in documents.iterdir() if documents.is_dir() else ():
            made = day_of(folder.name)
            if made is not None and made < oldest:
                shutil.rmtree(folder, ignore_errors=True)
