"""Collect the XML files that a PDF holds: embedded by name, associated with the document or attached to a page."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from finscribe_assets.opening.input_limits import InputLimits, rejection

_NOT_ENCRYPTED = -1  # result of FPDF_GetSecurityHandlerRevision


def xml_attachments(
    document: pypdfium2.PdfDocument, content: bytes, limits: InputLimits
) -> tuple[tuple[str, bytes], ...]:
    """Return name and content of a PDF's XML files, in the PDF's order.

    Files embedded by name come first. If none of them is XML, files that the document or a page only refers to are
    returned: those of ``/AF`` (ISO 32000-2, 14.13), and those of attachment annotations.

    Raises:
        RejectedDocumentError: An XML file is too large.
    """
    return _xml_files(_embedded_by_name(document, limits), limits) or _xml_files(
        _referred(document, content, limits), limits
    )


def _xml_files(files: Iterator[tuple[str, bytes]], limits: InputLimits) -> tuple[tuple[str, bytes], ...]:
    found: dict[tuple[str, bytes], None] = {}
    for name, content in files:
        if not name.lower().endswith(".xml") and not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<?xml"):
            continue
        if len(content) > limits.truth_bytes:
            raise rejection(f"the embedded XML has {len(content):,} bytes; at most {limits.truth_bytes:,} are read")
        found[name, content] = None  # the same file may be referred to several times
    return tuple(found)


def _embedded_by_name(document: pypdfium2.PdfDocument, limits: InputLimits) -> Iterator[tuple[str, bytes]]:
    for index in range(min(document.count_attachments(), limits.embedded_files)):
        attachment = document.get_attachment(index)
        yield attachment.get_name(), bytes(attachment.get_data())


def _referred(document: pypdfium2.PdfDocument, content: bytes, limits: InputLimits) -> Iterator[tuple[str, bytes]]:
    """Yield the files that a PDF refers to without embedding them by name, which PDFium has no functions for."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    if pdfium.FPDF_GetSecurityHandlerRevision(document) != _NOT_ENCRYPTED:
        decrypted = io.BytesIO()
        document.save(decrypted, flags=pdfium.FPDF_REMOVE_SECURITY)
        content = decrypted.getvalue()
    try:
        reader = PdfReader(io.BytesIO(content))
        specifications = _file_specifications(reader)
        for _, specification in zip(range(limits.embedded_files), specifications, strict=False):
            streams = specification["/EF"].get_object()
            stream = (streams.get("/UF") or streams.get("/F")).get_object()
            yield str(specification.get("/UF") or specification.get("/F") or ""), bytes(stream.get_data())
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return  # PDFium has opened it, so it is not rejected; the files found so far are those that can be read


def _file_specifications(reader: Any) -> Iterator[Any]:
    """Yield the file specifications of the document's and its pages' associated files and attachment annotations."""
    pages = list(reader.pages)
    for owner in (reader.trailer["/Root"].get_object(), *pages):
        for reference in _array(owner, "/AF"):
            yield from _with_file(reference.get_object())
    for page in pages:
        for reference in _array(page, "/Annots"):
            annotation = reference.get_object()
            if annotation.get("/Subtype") == "/FileAttachment" and "/FS" in annotation:
                yield from _with_file(annotation["/FS"].get_object())


def _array(owner: Any, key: str) -> Any:
    value = owner.get(key)
    value = value.get_object() if value is not None else []
    return value if isinstance(value, list) else [value]  # /AF may be a single specification


def _with_file(specification: Any) -> list[Any]:
    """Return the specification in a list if it holds a file, else an empty list."""
    return [specification] if hasattr(specification, "get") and specification.get("/EF") else []
