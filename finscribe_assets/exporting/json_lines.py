"""JSON lines as every reader splits them alike: written by part, joined in order, read strictly."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from finscribe_assets.errors import UserError
from finscribe_assets.exporting.export_samples import ExportPart, ExportSample, ImageFiles
from finscribe_assets.exporting.sample_checks import RecordLocation
from finscribe_assets.files import atomic_write, write_bytes

# Python's splitlines, and readers that use it, end a line here too; JSON may escape any character.
_LINE_ENDS = {ord(end): f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"}


def json_line(record: Any) -> bytes:
    """Return a value as one line of JSON in UTF-8, with its end.

    Raises:
        UserError: it holds NaN, infinity or half a surrogate pair, which JSON in UTF-8 has no form for.
    """
    text = json.dumps(record, ensure_ascii=False, allow_nan=False)
    return text.translate(_LINE_ENDS).encode() + b"\n"


def write_part(part: ExportPart, name: str, record_of: Callable[[ExportSample, list[str]], Any]) -> None:
    """Write a part's pictures as files and its samples as lines of a scratch file.

    ``record_of`` makes a line of a sample and the paths of its pictures below the export.
    """
    pictures = ImageFiles(part.out)
    write_bytes(
        part.scratch_file(name),
        b"".join(json_line(record_of(sample, pictures.put(sample))) for sample in part.read_samples()),
    )
    pictures.remove_strays()


def join_parts(target: Path, parts: Sequence[ExportPart], name: str) -> None:
    """Join the parts' scratch files to one, in the parts' order."""
    with atomic_write(target) as stream:
        for part in parts:
            stream.write(part.scratch_file(name).read_bytes())


def read_json_lines(path: Path) -> Iterator[tuple[RecordLocation, dict[str, Any]]]:
    """Yield the objects of a file of JSON lines with their places, one at a time.

    Raises:
        ExportError: the file is missing, or a line is not UTF-8, not JSON (RFC 8259), or not an object.
    """
    if not path.is_file():
        raise RecordLocation(path, "file").error("name", "does not exist", "export again")
    with path.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            place = RecordLocation(path, f"line {number}")
            yield place, parse_object(place, line)


def parse_object(place: RecordLocation, content: bytes) -> dict[str, Any]:
    """Return an object from its JSON.

    Raises:
        ExportError: it is not UTF-8, not JSON (RFC 8259), or not an object.
    """
    try:
        record = json.loads(content.decode(), parse_constant=_refuse)
    except UnicodeDecodeError as error:
        raise place.error(f"byte {error.start}", "not UTF-8", "write the file in UTF-8") from error
    except json.JSONDecodeError as error:
        raise place.error(f"column {error.colno}", f"not JSON ({error.msg})", "write one object a line") from error
    except ValueError as error:
        raise place.error("value", str(error), "JSON has no such number; write a text or null") from error
    if not isinstance(record, dict):
        raise place.error("line", f"a JSON {type(record).__name__}, not an object", "write one object a line")
    return record


def _refuse(constant: str) -> NoReturn:
    raise UserError(f"{constant} is not JSON")
