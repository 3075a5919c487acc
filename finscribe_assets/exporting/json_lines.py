"""Write JSON lines that every reader splits alike, part by part, and read them strictly."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from finscribe_assets.exporting.export_samples import ExportPart, ExportSample, ImageFiles
from finscribe_assets.exporting.sample_checks import RecordLocation
from finscribe_assets.files import atomic_write, write_bytes

# Python's str.splitlines, which some readers use, also splits at these characters. JSON may escape any character.
_LINE_ENDS = {ord(end): f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"}


def json_line(record: Any) -> bytes:
    """Return a value as one line of JSON in UTF-8, with the line end.

    Raises:
        ValueError: the value holds NaN, infinity or half a surrogate pair, which JSON in UTF-8 cannot express.
    """
    text = json.dumps(record, ensure_ascii=False, allow_nan=False)
    return text.translate(_LINE_ENDS).encode() + b"\n"


def write_part(
    part: ExportPart, name: str, record_of: Callable[[ExportSample, list[str]], Any], *, join_turns: bool = False
) -> None:
    """Write the image files of a part, and its samples as JSON lines to a temporary file.

    Args:
        part: the part of the export.
        name: name of the temporary file.
        record_of: returns the record of a sample, given the paths of its images relative to the export.
        join_turns: whether pairs about the same whole pages are turns of one sample.
    """
    images = ImageFiles(part.out)
    samples = part.read_conversations() if join_turns else part.read_samples()
    lines = [json_line(record_of(sample, images.write_images(sample))) for sample in samples]
    write_bytes(part.scratch_file(name), b"".join(lines))
    images.remove_strays()


def join_parts(target: Path, parts: Sequence[ExportPart], name: str) -> None:
    """Join the parts' temporary files of this name into one file, in the order of the parts."""
    with atomic_write(target) as stream:
        for part in parts:
            stream.write(part.scratch_file(name).read_bytes())


def read_json_lines(path: Path) -> Iterator[tuple[RecordLocation, dict[str, Any]]]:
    """Yield the objects of a file of JSON lines with their locations, one at a time.

    Raises:
        ExportError: the file is missing, or a line is not UTF-8, not JSON (RFC 8259), or not an object.
    """
    if not path.is_file():
        raise RecordLocation(path, "file").error("name", "does not exist", "export again")
    with path.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            location = RecordLocation(path, f"line {number}")
            yield location, parse_object(location, line)


def parse_object(location: RecordLocation, content: bytes) -> dict[str, Any]:
    """Return the object that JSON in UTF-8 holds.

    Raises:
        ExportError: the content is not UTF-8, not JSON (RFC 8259), or not an object.
    """
    try:
        record = json.loads(content.decode(), parse_constant=_reject_constant)
    except UnicodeDecodeError as error:
        raise location.error(f"byte {error.start}", "not UTF-8", "write the file in UTF-8") from error
    except json.JSONDecodeError as error:
        raise location.error(f"column {error.colno}", f"not JSON ({error.msg})", "write one object per line") from error
    except ValueError as error:
        raise location.error("value", str(error), "JSON has no such number; write a text or null") from error
    if not isinstance(record, dict):
        raise location.error("line", f"a JSON {type(record).__name__}, not an object", "write one object per line")
    return record


def _reject_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
