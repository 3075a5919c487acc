"""The queue of accepted documents and the workers that read them.

What belongs here: how many documents are accepted, who reads them, and what becomes of those that take too long. Every
accepted document gets exactly one result. HTTP belongs to `service_app`.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from finscribe_assets.documents.file_ids import document_id
from finscribe_assets.errors import UserError
from finscribe_assets.files import sha256_of
from finscribe_assets.inference.chat_client import ServerError
from finscribe_assets.opening.file_types import is_image, is_pdf, why_not_an_image
from finscribe_assets.opening.input_limits import RejectedDocumentError
from finscribe_assets.opening.page_content import PageContent
from finscribe_assets.opening.page_reader import PageReader
from finscribe_assets.service.document_reading import (
    DocumentAnswer,
    StageSeconds,
    in_user_keys,
    make_reading,
    record_in_schema,
)
from finscribe_assets.service.page_pictures import blank_png, page_sizes
from finscribe_assets.service.reader_in_use import ReaderInUse
from finscribe_assets.service.service_log import log_event
from finscribe_assets.service.service_settings import ServiceSettings

if TYPE_CHECKING:
    from finscribe_assets.rendering.pages import Page

LEAST_SECONDS = 1.0  # granted for opening a document that has waited long
_REMEMBERED = 50  # documents whose mean time says when the queue is through
_USUAL_SECONDS = 5.0  # for a document, before any was read


class RefusedError(Exception):
    """A document is not read, for a reason that is an HTTP status."""

    def __init__(self, status: int, outcome: str, detail: str, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.status, self.outcome, self.detail, self.retry_after = status, outcome, detail, retry_after


@dataclass
class DocumentJob:
    """A document that was accepted."""

    stem: str  # of the file's name
    name: str
    content: bytes
    deadline: float  # by `time.monotonic`
    pictures: bool = False  # whether the answer has pictures of the pages
    arrived: float = field(default_factory=time.monotonic)
    result: Future[DocumentAnswer] = field(default_factory=Future)

    @property
    def seconds_left(self) -> float:
        """Return the time until the deadline."""
        return self.deadline - time.monotonic()


OnReading = Callable[[DocumentAnswer, bytes, "tuple[Page, ...]"], None]


class DocumentWork:
    """Accepts documents up to a number, and reads them in worker threads.

    Each worker opens files in a process of its own (`PageReader`), so that a hostile file costs one document. A
    model in this process reads one document at a time, while other workers open the next ones.
    """

    def __init__(self, settings: ServiceSettings, model: ReaderInUse, on_reading: OnReading | None = None) -> None:
        """Prepare the workers; `start` starts them.

        Args:
            settings: Limits, number of workers, resolution.
            model: The model to read with.
            on_reading: Called in the worker, after the client was answered, with each answer in the schema's fields,
                the content of its file and the pages that were read.
        """
        self._settings, self._limits, self._model = settings, settings.limits, model
        self._on_reading = on_reading
        self._jobs: queue.SimpleQueue[DocumentJob | None] = queue.SimpleQueue()
        self._lock, self._reading = threading.Condition(), threading.Lock()
        self._accepted = 0
        self._stopping = False
        self._recent: deque[float] = deque(maxlen=_REMEMBERED)
        self._threads: list[threading.Thread] = []
        self._ready = threading.Semaphore(0)
        self._broken: BaseException | None = None

    @property
    def accepted(self) -> int:
        """Return the number of documents that are uploaded, wait or are read."""
        return self._accepted

    @property
    def waiting(self) -> int:
        """Return the number of documents that wait for a worker."""
        return self._jobs.qsize()

    @property
    def is_stopping(self) -> bool:
        """Return whether no further documents are accepted."""
        return self._stopping

    @property
    def problem(self) -> str | None:
        """Return why no document can be read at this moment; None if nothing is wrong."""
        if self._stopping:
            return "the service is stopping"
        dead = sum(not thread.is_alive() for thread in self._threads)
        if not self._threads or dead:
            return f"{dead or 'all'} of {self._limits.workers} workers are not running"
        return None

    def start(self) -> None:
        """Start the workers, and wait until each can open files.

        Raises:
            UserError: A process that opens files does not start.
        """
        for number in range(self._limits.workers):
            thread = threading.Thread(target=self._work, name=f"document-worker-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)
        for _ in self._threads:
            self._ready.acquire()
        if self._broken is not None:
            raise UserError(f"the process that opens files does not start: {self._broken}")

    def accept(self) -> None:
        """Take a place for one document, which `release` or the worker that reads it gives back.

        Raises:
            RefusedError: All places are taken (429), or the service is stopping (503).
        """
        with self._lock:
            if self._stopping:
                raise RefusedError(503, "stopping", "the service is stopping; send the document again", 5)
            if self._accepted >= self._limits.accepted:
                detail = f"{self._accepted} documents are being read; send this one again later"
                raise RefusedError(429, "queue_full", detail, self._seconds_to_place())
            self._accepted += 1

    def release(self) -> None:
        """Give a place back."""
        with self._lock:
            self._accepted -= 1
            self._lock.notify_all()

    def submit(self, job: DocumentJob) -> None:
        """Queue a document for which a place was taken."""
        self._jobs.put(job)

    def stop_accepting(self) -> None:
        """Refuse further documents; those that were accepted are read."""
        with self._lock:
            self._stopping = True

    def stop(self, seconds: float) -> bool:
        """Read what was accepted, and end the workers; return whether all was read within this time."""
        self.stop_accepting()
        with self._lock:
            is_empty = self._lock.wait_for(lambda: self._accepted == 0, seconds)
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join(timeout=5 if is_empty else 0)
        return is_empty

    def _seconds_to_place(self) -> int:
        """Return when the documents before are read: sooner, many clients would come back for the same place."""
        mean = sum(self._recent) / len(self._recent) if self._recent else _USUAL_SECONDS
        return min(60, max(1, round(mean * self._accepted)))

    def _work(self) -> None:
        """Read documents until None comes; the main function of a worker."""
        settings = self._settings
        try:
            with PageReader(settings.dpi, self._limits.of_input(), threads=settings.threads) as opener:
                with _announced(self._ready):
                    opener.read([blank_png()])  # starts the process, so that no document waits for it
                while (job := self._jobs.get()) is not None:
                    started = time.monotonic()
                    try:
                        self._finish(opener, job)
                    finally:
                        self._recent.append((time.monotonic() - started) / self._limits.workers)
                        self.release()
        except Exception as error:
            self._broken = error
            log_event("worker_ended", level="critical", exc_info=error)
            raise

    def _finish(self, opener: PageReader, job: DocumentJob) -> None:
        """Give a job its result, unless its client was told that it takes too long."""
        if not job.result.set_running_or_notify_cancel():
            return
        try:
            answer, shown, pages = self._read(opener, job)
            job.result.set_result(shown)
        except RefusedError as error:
            job.result.set_exception(error)
        except Exception as error:  # noqa: BLE001, no document may stop the documents after it
            log_event("reading_failed", level="error", exc_info=error)
            fault = RefusedError(500, "failed", f"reading failed ({type(error).__name__}); the log says where")
            job.result.set_exception(fault)
        else:
            self._after_reading(answer, job.content, pages)

    def _after_reading(self, answer: DocumentAnswer, content: bytes, pages: tuple[Page, ...]) -> None:
        """Pass a reading on, once its client is answered; if that fails, no document is lost."""
        if self._on_reading is None:
            return
        try:
            self._on_reading(answer, content, pages)
        except Exception as error:  # noqa: BLE001, such as a full disk
            log_event("log_failed", level="error", exc_info=error)

    def _read(self, opener: PageReader, job: DocumentJob) -> tuple[DocumentAnswer, DocumentAnswer, tuple[Page, ...]]:
        """Return the answer in the schema's fields, which the log keeps, the client's answer, and the pages."""
        content = job.content
        if not is_pdf(content) and not is_image(content):
            status = 415 if content else 422
            raise RefusedError(status, "unknown_type" if content else "unreadable", why_not_an_image(content))
        began = time.monotonic()
        pages = self._open(opener, job)
        opened = time.monotonic()
        model = self._model.current
        with self._reading if model.one_at_a_time else nullcontext():
            if job.seconds_left <= 0:
                raise past_limit(self._limits.seconds)
            free = time.monotonic()
            try:
                id_ = document_id(job.stem, [sha256_of(content)])
                record = model.extractor.read_content(job.name, pages, None, id_)
            except ServerError as error:
                detail = "the server that reads cannot be asked; send the document again"
                log_event("server_failed", level="error", reason=str(error))
                raise RefusedError(502, "server_failed", detail, 10) from error
            except UserError as error:
                raise RefusedError(422, "unreadable", str(error)) from error
            read = time.monotonic()
        seconds = StageSeconds(
            waiting=round(began - job.arrived + free - opened, 3),
            opening=round(opened - began, 3),
            reading=round(read - free, 3),
        )
        sizes = page_sizes(pages.pages, pictures=job.pictures)
        answer = make_reading(record_in_schema(record, model.mapping), sizes, model.read_by, seconds)
        return answer, in_user_keys(answer, record, model.mapping), pages.pages

    def _open(self, opener: PageReader, job: DocumentJob) -> PageContent:
        opener.limits = replace(self._limits.of_input(), seconds=max(LEAST_SECONDS, job.seconds_left))
        try:
            return opener.read([job.content])
        except RejectedDocumentError as error:
            if job.seconds_left <= 0:
                raise past_limit(self._limits.seconds) from error
            raise RefusedError(422, "unreadable", str(error)) from error


def past_limit(seconds: float) -> RefusedError:
    """Return the exception for a document that took too long."""
    detail = f"not read within {seconds:g} seconds; send fewer pages, or send it again when there is less to do"
    return RefusedError(504, "too_slow", detail)


@contextmanager
def _announced(ready: threading.Semaphore) -> Iterator[None]:
    """Release a semaphore after a block, whether or not it fails."""
    try:
        yield
    finally:
        ready.release()
