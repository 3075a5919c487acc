"""Open documents in a separate process with limits on time and memory, so that a hostile file costs one document only.

What belongs here: that process and the exchange with it. One process reads document after document; if it dies or takes
too long, the document is rejected and the next one gets a new process.
"""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Self

from finscribe_assets.files import AnyPath
from finscribe_assets.opening.file_types import is_pdf
from finscribe_assets.opening.image_files import read_images
from finscribe_assets.opening.input_limits import InputLimits, Problem, RejectedDocumentError, rejection
from finscribe_assets.opening.page_content import PageContent
from finscribe_assets.opening.pdf_files import read_pdf
from finscribe_assets.opening.upright_pages import PageTurner

_START_SECONDS = 60.0  # granted to a new process on top of the limit for reading


@dataclass(frozen=True)
class _Request:
    contents: tuple[bytes, ...]
    wants_xml: bool
    dpi: int
    limits: InputLimits


@dataclass(frozen=True)
class _Result:
    content: PageContent | None = None
    problems: tuple[Problem, ...] = ()


def _serve(requests: Connection, memory_bytes: int) -> None:
    """Answer requests until None comes; the main function of the separate process."""
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    while (request := requests.recv()) is not None:
        requests.send(_read(request))


def read_pages(contents: Sequence[bytes], dpi: int, limits: InputLimits, *, wants_xml: bool = False) -> PageContent:
    """Read the pages of one PDF, or of images in page order, in this process.

    Use it for files that you trust; `PageReader` does the same for files of unknown origin.

    Args:
        contents: Content of each file, which determines whether it is a PDF.
        dpi: Resolution of PDF pages, and the assumed one of images that state none.
        limits: Limits on the document.
        wants_xml: Whether the XML files that a PDF holds are returned with the pages.

    Raises:
        RejectedDocumentError: The pages cannot be read within the limits.
    """
    if len(contents) == 1 and is_pdf(contents[0]):
        return read_pdf(contents[0], dpi, limits, wants_xml=wants_xml)
    return read_images(contents, dpi, limits)


def read_file(path: AnyPath, limits: InputLimits) -> bytes:
    """Return the content of a file.

    Raises:
        RejectedDocumentError: The file is missing, cannot be opened, or is larger than is read.
    """
    largest = limits.page_file_bytes
    try:
        if path.is_dir():
            raise rejection("a folder; name the files in it")
        if not path.is_file():
            raise rejection("no such file" if not path.exists() else "not a regular file")
        with path.open("rb") as stream:
            content: bytes = stream.read(largest + 1)
    except OSError as error:
        raise rejection(f"cannot be read: {error.strerror or error}") from error
    if len(content) > largest:
        raise rejection(f"larger than {largest:,} bytes, which is the most that is read")
    return content


def _read(request: _Request) -> _Result:
    dpi, limits = request.dpi, request.limits
    try:
        return _Result(read_pages(request.contents, dpi, limits, wants_xml=request.wants_xml))
    except RejectedDocumentError as error:
        return _Result(problems=error.problems)
    except MemoryError:
        limit = f"{limits.memory_bytes / 2**30:.3g} GiB"
        return _Result(problems=rejection(f"reading its pages takes more than the {limit} of memory allowed").problems)
    except Exception as error:  # noqa: BLE001, no file may stop the files after it
        fault = f"{type(error).__name__}: {error}"
        return _Result(problems=rejection(f"reading its pages failed ({fault}); please report it").problems)


class PageReader:
    """Reads the pages of one document after another; a context manager that ends the process on exit.

    The process is spawned, so a script that uses this class needs the usual ``if __name__ == "__main__":`` guard.
    """

    def __init__(self, dpi: int, limits: InputLimits, *, upright: bool = True, threads: int = 1) -> None:
        """Prepare a reader; the process starts with the first document.

        Args:
            dpi: Resolution at which PDF pages are rendered, and the assumed one of images that state none.
            limits: Limits on each document.
            upright: Whether pages are turned upright and straightened.
            threads: Number of CPU threads that judge which way up a page is.
        """
        self._dpi, self.limits = dpi, limits
        self._turner = PageTurner(threads) if upright else None
        self._process: multiprocessing.process.BaseProcess | None = None
        self._requests: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def open(self, path: AnyPath) -> PageContent:
        """Read the pages of one file.

        Raises:
            RejectedDocumentError: The file cannot be opened, or its pages cannot be read within the limits.
        """
        return self.read([read_file(path, self.limits)])

    def read(self, contents: Sequence[bytes], *, wants_xml: bool = False) -> PageContent:
        """Read the pages of one PDF, or of images in page order; see `read_pages`.

        Raises:
            RejectedDocumentError: The pages cannot be read within the limits.
        """
        result = self._request(_Request(tuple(contents), wants_xml, self._dpi, self.limits))
        if result.content is None:
            raise RejectedDocumentError(result.problems)
        return self._turner.upright(result.content) if self._turner else result.content

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
