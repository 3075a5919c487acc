"""Read pages in a separate process with limits on time and memory, so that a hostile file costs one document only.

What belongs here: that process and the exchange with it. One process reads document after document; if it dies or takes
too long, the document is rejected and the next one gets a new process.
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
from finscribe_assets.importing.rejects import InputLimits, Problem, RejectedDocumentError, rejection
from finscribe_assets.importing.source_files import PDF_SUFFIXES

_START_SECONDS = 60.0  # granted to a new process on top of the limit for reading


@dataclass(frozen=True)
class _Request:
    contents: tuple[bytes, ...]
    is_pdf: bool
    wants_invoice: bool
    dpi: int
    limits: InputLimits


@dataclass(frozen=True)
class _Result:
    content: PageContent | None = None
    problems: tuple[Problem, ...] = ()
    traceback: str = ""  # of a fault of this program


def _serve(requests: Connection, memory_bytes: int) -> None:
    """Answer requests until None comes; the main function of the separate process."""
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    while (request := requests.recv()) is not None:
        requests.send(_read(request))


def _read(request: _Request) -> _Result:
    dpi, limits = request.dpi, request.limits
    try:
        if request.is_pdf:
            return _Result(read_pdf(request.contents[0], dpi, limits, wants_invoice=request.wants_invoice))
        return _Result(read_images(request.contents, dpi, limits))
    except RejectedDocumentError as error:
        return _Result(problems=error.problems)
    except MemoryError:
        limit = f"{limits.memory_bytes / 2**30:.3g} GiB"
        return _Result(problems=rejection(f"reading its pages takes more than the {limit} of memory allowed").problems)
    except Exception:  # noqa: BLE001, the other process raises it again
        return _Result(traceback=traceback.format_exc())


class PageReader:
    """Reads the pages of one document after another; a context manager that ends the process on exit.

    The process is spawned, so a script that uses this class needs the usual ``if __name__ == "__main__":`` guard.
    """

    def __init__(self, dpi: int, limits: InputLimits) -> None:
        """Prepare a reader; the process starts with the first document.

        Args:
            dpi: Resolution at which PDF pages are rendered, and the assumed one of images that state none.
            limits: Limits on each document.
        """
        self._dpi, self.limits = dpi, limits
        self._process: multiprocessing.process.BaseProcess | None = None
        self._requests: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def read(self, names: list[str], contents: list[bytes], *, wants_invoice: bool) -> PageContent:
        """Read the pages of one PDF or TIFF, or of images in page order.

        Args:
            names: File names; the suffix of the first one determines whether it is a PDF.
            contents: Content of each file.
            wants_invoice: Whether a PDF must embed an invoice, which is returned with the pages.

        Raises:
            RejectedDocumentError: The pages cannot be read within the limits.
            RuntimeError: Reading failed by a fault of this program; the message holds the traceback.
        """
        is_pdf = Path(names[0]).suffix.lower() in PDF_SUFFIXES
        result = self._request(_Request(tuple(contents), is_pdf, wants_invoice, self._dpi, self.limits))
        if result.traceback:
            raise RuntimeError(f"{names[0]}: {result.traceback}")
        if result.content is None:
            raise RejectedDocumentError(result.problems)
        return result.content

    def _request(self, request: _Request) -> _Result:
        is_new = self._requests is None
        requests = self._start()
        try:
            requests.send(request)
            if not requests.poll(self.limits.seconds + (_START_SECONDS if is_new else 0)):
                self._stop()
                raise rejection(f"reading its pages took more than {self.limits.seconds:g} seconds")
            result: _Result = requests.recv()
        except (EOFError, BrokenPipeError, ConnectionResetError) as error:
            self._stop()
            raise rejection("the process that read its pages died; the file may be damaged or hostile") from error
        return result

    def _start(self) -> Connection:
        """Return the connection to the process, which is started if there is none."""
        if self._requests is None:
            context = multiprocessing.get_context("spawn")
            self._requests, other_end = context.Pipe()
            self._process = context.Process(target=_serve, args=(other_end, self.limits.memory_bytes), daemon=True)
            self._process.start()
            other_end.close()
        return self._requests

    def _stop(self) -> None:
        if self._process is not None and self._requests is not None:
            self._process.kill()
            self._process.join()
            self._requests.close()
        self._process = self._requests = None
