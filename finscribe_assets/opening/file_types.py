"""Recognise PDFs and images: by their content where a file is opened, and by their names where it is not."""

from __future__ import annotations

from pathlib import Path

PDF_SUFFIXES = (".pdf",)
IMAGE_SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff", ".webp", ".bmp", ".gif", ".jp2", ".avif"),
    *(".heic", ".heif"),  # named, so that a photograph in them gets a reason instead of no mention
)
IMAGE_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF", "JPEG2000", "AVIF")
"""Formats that are decoded, by Pillow's names: those of scanners, cameras and mail, whose decoders run no script."""

_PDF_MARK, _PDF_MARK_WITHIN = b"%PDF-", 8192  # gateways put lines before it; ISO 32000-1, annex H.3.4.1, allows 1024
_IMAGE_MARKS = (b"\x89PNG", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"RIFF", b"BM", b"GIF8")
_JPEG2000_MARKS = (b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51")
_AVIF_BRANDS = (b"avif", b"avis")
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


def is_pdf(content: bytes) -> bool:
    """Return whether a file's content is a PDF, whatever its name is."""
    return not content.startswith(_IMAGE_MARKS) and _PDF_MARK in content[:_PDF_MARK_WITHIN]


def is_image(content: bytes) -> bool:
    """Return whether a file's content begins as an image in one of `IMAGE_FORMATS` does, whatever its name is."""
    if content.startswith(b"RIFF"):
        return content[8:12] == b"WEBP"
    if content[4:8] == b"ftyp":
        return content[8:12] in _AVIF_BRANDS
    return content.startswith((*_IMAGE_MARKS, *_JPEG2000_MARKS))


def image_suffix(content: bytes) -> str:
    """Return the usual suffix of an image's file name, by its content."""
    suffixes = {b"\x89PNG": ".png", b"\xff\xd8\xff": ".jpg", b"RIFF": ".webp", b"BM": ".bmp", b"GIF8": ".gif"}
    suffixes |= dict.fromkeys(_JPEG2000_MARKS, ".jp2")
    by_mark = (suffix for mark, suffix in suffixes.items() if content.startswith(mark))
    return next(by_mark, ".avif" if content[4:8] == b"ftyp" else ".tif")


def page_files(folder: Path) -> list[Path]:
    """Return the files of a folder and its subfolders that are named as PDFs or images, sorted by path."""
    suffixes = (*PDF_SUFFIXES, *IMAGE_SUFFIXES)
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in suffixes and not path.is_dir())


def why_not_an_image(content: bytes) -> str:
    """Return why a file's content is not decoded as an image, and what to do."""
    if not content:
        return "the file is empty"
    if content[4:8] == b"ftyp" and content[8:12] in _HEIF_BRANDS:
        return "HEIC is not decoded; convert it to JPEG or PNG, or have the camera store JPEG"
    if is_image(content):
        return "it begins as an image, but is damaged, cut off or of an unusual kind; scan it or save it as PNG again"
    return f"neither a PDF nor an image in a supported format; convert it to PDF or one of {', '.join(IMAGE_FORMATS)}"
