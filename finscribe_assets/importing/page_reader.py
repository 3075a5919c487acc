"""Pages are read in a process of their own, which may die of what it reads: a stranger's file is then one reject.

What belongs here: that process, its bounds of time and memory, and how it is asked. One process reads one document
after the other; after a death, or when time is up, the next document gets a new one.
"""

from __future__ import annotations

import multiprocessing
import sys
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Self

from finscribe_assets.importing.image_files import read_images
from finscribe_assets.importing.page_content import PageContent
from finscribe_assets.importing.pdf_files import read_pdf
from finscribe_assets.importing.rejects import Limits, Problem, Rejected, reject
from finscribe_assets.importing.source_files import PDF_SUFFIXES

_STARTING = 60.0  # seconds that a new process may take beside its reading


@dataclass(frozen=True)
class _Request:
    contents: tuple[bytes, ...]
    is_pdf: bool
    wants_invoice: bool
    dpi: int
    limits: Limits


@dataclass(frozen=True)
class _Answer:
    content: PageContent | None = None
    problems: tuple[Problem, ...] = ()
    failure: str = ""  # the traceback of a fault of this program


def _serve(requests: Connection, memory_bytes: int) -> None:
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    while (request := requests.recv()) is not None:
        requests.send(_answered(request))


def _answered(request: _Request) -> _Answer:
    try:
        if request.is_pdf:
            return _Answer(
                read_pdf(request.contents[0], request.dpi, request.limits, wants_invoice=request.wants_invoice)
            )
        return _Answer(read_images(request.contents, request.dpi, request.limits))
    except Rejected as error:
        return _Answer(problems=error.problems)
    except MemoryError:
        return _Answer(problems=reject("its pages take more memory than they may").problems)
    except Exception:  # noqa: BLE001, it is raised again on the other side
        return _Answer(failure=traceback.format_exc())


class PageReader:
    """Reads documents' pages one after the other; a context manager, at whose end the process ends."""

    def __init__(self, dpi: int, limits: Limits) -> None:
        self._dpi, self.limits = dpi, limits
        self._process: multiprocessing.process.BaseProcess | None = None
        self._requests: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def read(self, names: list[str], contents: list[bytes], *, wants_invoice: bool) -> PageContent:
        """Return the pages of one PDF or TIFF, or of images in their order, given as files' names and bytes.

        Raises:
            Rejected: they cannot be read within the limits.
            RuntimeError: this program failed; the message is the traceback.
        """
        is_pdf = Path(names[0]).suffix.lower() in PDF_SUFFIXES
        answer = self._ask(_Request(tuple(contents), is_pdf, wants_invoice, self._dpi, self.limits))
        if answer.failure:
            raise RuntimeError(f"{names[0]}: {answer.failure}")
        if answer.content is None:
            raise Rejected(answer.problems)
        return answer.content

    def _ask(self, request: _Request) -> _Answer:
        starting = self._requests is None
        requests = self._started()
        try:
            requests.send(request)
            if not requests.poll(self.limits.seconds + (_STARTING if starting else 0)):
                self._end()
                raise reject(f"reading its pages took more than {self.limits.seconds:g} seconds")
            answer: _Answer = requests.recv()
        except (EOFError, BrokenPipeError, ConnectionResetError) as error:
            self._end()
            raise reject("reading its pages ended the process that read them") from error
        return answer

    def _started(self) -> Connection:
        if self._requests is None:
            context = multiprocessing.get_context("spawn")
            self._requests, far_end = context.Pipe()
            self._process = context.Process(target=_serve, args=(far_end, self.limits.memory_bytes), daemon=True)
            self._process.start()
            far_end.close()
        return self._requests

    def _end(self) -> None:
        if self._process is not None and self._requests is not None:
            self._process.kill()
            self._process.join()
            self._requests.close()
        self._process = self._requests = None
