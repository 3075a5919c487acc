"""Check training sets: this package's exports, and JSON lines of ms-swift, LLaMA-Factory and PaddleFormers.

What a loader drops is decided by the validators of `exporting`. What belongs here: bringing other people's records into
the form that these check, and what a whole set teaches a model: prompts, markup, repetitions, contradictions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from finscribe_assets.diagnosis.json_files import read_object
from finscribe_assets.diagnosis.traps import TrapFinding
from finscribe_assets.exporting.erniekit_format import ERNIEKIT_DATA_FILE, check_erniekit_record
from finscribe_assets.exporting.folder_export import EXPORT_RECORD_FILE, ExportFormat, validate_export
from finscribe_assets.exporting.json_lines import parse_object
from finscribe_assets.exporting.messages_format import IMAGE_TAG, check_messages_record
from finscribe_assets.exporting.sample_checks import ExportError, RecordLocation, SampleInspector
from finscribe_assets.files import read_json
from finscribe_assets.instructions.pair import OCR_PROMPT, TABLE_PROMPT
from finscribe_assets.instructions.token_count import MAX_TOKENS

# PaddleOCR-VL's own prompts, as its model card lists them.
STOCK_PROMPTS = (
    OCR_PROMPT,
    TABLE_PROMPT,
    "Formula Recognition:",
    "Chart Recognition:",
    "Spotting:",
    "Seal Recognition:",
)
MAX_FINDINGS = 20  # of each trap in a file; the rest is counted
_MARKUP = re.compile(r"<(?:table|tr|td|th|div|span|p|br|style)\b[^>]*>|```|^\|.*\|$", re.IGNORECASE | re.MULTILINE)
_TABLE_TOKENS = re.compile("<(?:[felux]cel|nl)>")  # of OTSL; many empty cells in a row are no repetition
_FENCES = re.compile(r"^\s*```\w*|```\s*$")
_OBJECT_BEGIN = re.compile(r'[\[\s]*\{\s*"[^"]*"\s*:')
_MAX_SEARCHED = 20_000  # characters of a response
_PERIODS = range(6, 200)  # characters of a text that may be repeated
_REPEATS, _REPEATED_CHARACTERS = 20, 200  # from this many on, a repetition is no print: tables have equal rows


def check_training_set(path: Path, max_tokens: int = MAX_TOKENS) -> Iterator[TrapFinding]:
    """Yield what is wrong with an export, or with a file or folder of JSON lines.

    Args:
        path: a folder that `finscribe export` wrote, or a ``.jsonl`` or ``.json`` file, or a folder of such files.
        max_tokens: a sample with more tokens than this is too long.
    """
    record = read_object(path / EXPORT_RECORD_FILE) if path.is_dir() else None
    if record is not None and record.get("format") not in (ExportFormat.MESSAGES, ExportFormat.ERNIEKIT):
        yield from _check_export(path, max_tokens)
        return
    if record is not None and record.get("finished") is not True:
        yield TrapFinding(
            "sample-dropped", str(path / EXPORT_RECORD_FILE), "the export was interrupted", "run it again"
        )
    for file in data_files(path):
        yield from _limited(_check_lines(file, max_tokens))


def data_files(path: Path) -> list[Path]:
    """Return the files with samples at a path: the file itself, or the JSON lines in a folder."""
    if path.is_file():
        return [path]
    return [path / ERNIEKIT_DATA_FILE] if (path / EXPORT_RECORD_FILE).is_file() else sorted(path.glob("*.jsonl"))


def _check_export(folder: Path, max_tokens: int) -> Iterator[TrapFinding]:
    try:
        tally = validate_export(folder, max_tokens=max_tokens).tally
    except ExportError as error:
        yield _of_error(error)
        return
    for id_ in tally.too_long[:MAX_FINDINGS]:
        yield TrapFinding("sample-too-long", f"{folder}: {id_}", f"more than {max_tokens:,} tokens")


def _limited(findings: Iterator[TrapFinding]) -> Iterator[TrapFinding]:
    """Yield the first findings of each trap, and how many more there are."""
    counts: dict[str, int] = {}
    last: dict[str, TrapFinding] = {}
    for finding in findings:
        counts[finding.trap] = counts.get(finding.trap, 0) + 1
        if counts[finding.trap] <= MAX_FINDINGS:
            yield finding
        last[finding.trap] = finding
    for trap, count in counts.items():
        if count > MAX_FINDINGS:
            yield TrapFinding(
                trap, last[trap].place, f"the last of {count - MAX_FINDINGS} more samples: {last[trap].problem}"
            )


_Answers = dict[tuple[str, ...], tuple[str, str]]
"""Position and text of the first answer to a question: pictures and prompt."""


def _check_lines(file: Path, max_tokens: int) -> Iterator[TrapFinding]:
    inspector = SampleInspector(max_tokens=max_tokens)
    answers: _Answers = {}
    too_long = 0
    if not file.is_file():
        yield TrapFinding("sample-dropped", str(file), "is not there", "export again")
        return
    for number, (location, content) in enumerate(_records(file), 1):
        place = f"{file}: {location.position}"
        try:
            record = parse_object(location, content)
            sample = normalised(record, file.parent, number)
            if sample is None:
                raise location.error("line", "not a sample of a known format", "write messages and images")
            sample.check(location, sample.record, Path("/"), inspector)
        except ExportError as error:
            yield _of_error(error)
            continue
        if inspector.tally_too_long() > too_long:
            too_long = inspector.tally_too_long()
            yield TrapFinding("sample-too-long", place, f"more than {max_tokens:,} tokens")
        for prompt, response in sample.turns:
            yield from _check_content(place, prompt, response)
            yield from _check_answer(answers, location, (*sample.pictures, prompt), response)


def is_array(file: Path) -> bool:
    """Return whether a file is one JSON array, as LLaMA-Factory takes besides JSON lines."""
    with file.open("rb") as stream:
        return stream.read(1000).lstrip()[:1] == b"["


def _records(file: Path) -> Iterator[tuple[RecordLocation, bytes]]:
    """Yield the JSON of each sample with its location: a line, or an item of an array."""
    if is_array(file):
        try:
            items = read_json(file)
        except ValueError as error:
            yield RecordLocation(file, str(error)), b"the array is not JSON"
            return
        for number, item in enumerate(items, 1):
            yield RecordLocation(file, f"item {number}"), json.dumps(item).encode()
        return
    with file.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            if line.strip():
                yield RecordLocation(file, f"line {number}"), line


def _of_error(error: ExportError) -> TrapFinding:
    """Return the finding of a validator's error, ``FILE: POSITION: FIELD: PROBLEM; MEND``."""
    text, _, mend = str(error).rpartition("; ")
    *place, problem = text.split(": ", 3) if text.count(": ") >= 3 else (text,)
    where = ": ".join(place)
    field_name = place[-1] if place else ""
    if "tags for" in problem or "placeholder" in problem or "matched_text_index" in field_name:
        trap = "image-placeholders"
    elif field_name.startswith(("image", "page")) or "complete image" in problem or "no image" in problem:
        trap = "picture-unreadable"
    else:
        trap = "sample-dropped"
    return TrapFinding(trap, where or "export", problem or str(error), mend)


@dataclass(frozen=True)
class _Sample:
    """A record in the form that a validator takes."""

    record: dict[str, Any]
    check: Callable[[RecordLocation, dict[str, Any], Path, SampleInspector], None]
    turns: list[tuple[str, str]]
    pictures: list[str]


def normalised(record: dict[str, Any], folder: Path, number: int) -> _Sample | None:
    """Bring a record of any of the known formats into the form that the exports' validators take.

    Args:
        record: a line of a file.
        folder: where relative paths of pictures begin.
        number: of the line, which is the id of a record without one.

    Returns:
        The sample, with absolute paths of pictures; None if the format is unknown.
    """
    id_ = str(record.get("id") or f"line {number}")
    if isinstance(record.get("text_info"), list) and isinstance(record.get("image_info"), list):
        images = [
            {**image, "image_url": _absolute(image.get("image_url"), folder)} if isinstance(image, dict) else image
            for image in record["image_info"]
        ]
        texts = [part.get("text") if isinstance(part, dict) else None for part in record["text_info"]]
        written = [str(text) for text in texts]
        turns = [(written[0], written[1])] if len(written) == 2 else []
        pictures = [str(image.get("image_url")) for image in images if isinstance(image, dict)]
        return _Sample({**record, "id": id_, "image_info": images}, check_erniekit_record, turns, pictures)
    messages = _messages_of(record)
    if messages is None:
        return None
    listed = record.get("images", record.get("image"))
    names = listed if isinstance(listed, list) else [] if listed is None else [listed]
    images = [_absolute(name.get("path") if isinstance(name, dict) else name, folder) for name in names]
    texts = [message.get("content") for message in messages]
    if messages and isinstance(texts[0], str) and texts[0].count(IMAGE_TAG) == len(images):
        # Loaders put pictures where their tags are; this model's template puts them first, whatever the record says.
        texts[0] = IMAGE_TAG * len(images) + texts[0].replace(IMAGE_TAG, "").strip()
        messages = [{**messages[0], "content": texts[0]}, *messages[1:]]
    said = [str(text).replace(IMAGE_TAG, "") for text in texts]
    turns = list(zip(said[::2], said[1::2], strict=False))
    return _Sample(
        {"id": id_, "messages": messages, "images": images}, check_messages_record, turns, list(map(str, images))
    )


def _absolute(name: Any, folder: Path) -> Any:
    return str((folder / name).resolve()) if isinstance(name, str) and name and "://" not in name else name


def _messages_of(record: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Return the turns of a record as ``messages``, without the one of the system; None if it has none."""
    if isinstance(record.get("messages"), list):
        messages = [message for message in record["messages"] if isinstance(message, dict)]
    elif isinstance(record.get("conversations"), list):
        roles = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}
        messages = [
            {"role": roles.get(str(message.get("from")), message.get("from")), "content": message.get("value")}
            for message in record["conversations"]
            if isinstance(message, dict)
        ]
    elif "query" in record and "response" in record:
        messages = [
            {"role": "user", "content": record["query"]},
            {"role": "assistant", "content": record["response"]},
        ]
    else:
        return None
    return [message for message in messages if message.get("role") != "system"]


def _check_content(place: str, prompt: str, response: str) -> Iterator[TrapFinding]:
    asked = prompt.strip()
    if _plain_prompt(asked) in _PLAIN_STOCK_PROMPTS and _is_json(response):
        yield TrapFinding("stock-prompt", f"{place}: prompt", f"{asked!r} is answered with JSON")
    if markup := _MARKUP.search(response[:_MAX_SEARCHED]):
        yield TrapFinding("answer-markup", f"{place}: response", f"holds {markup[0][:40]!r}")
    if repeated := repeated_text(_TABLE_TOKENS.sub("", response[:_MAX_SEARCHED])):
        yield TrapFinding("answer-repeats", f"{place}: response", f"{repeated[:40]!r} is repeated over and over")


def _plain_prompt(prompt: str) -> str:
    """Return a prompt without what people vary: case, and the sign at its end."""
    return prompt.casefold().rstrip(":： ")


_PLAIN_STOCK_PROMPTS = frozenset(map(_plain_prompt, STOCK_PROMPTS))


def _is_json(response: str) -> bool:
    """Return whether a response is an object, or a list of objects; a transcription such as ``[3]`` is neither.

    The fences of Markdown around it do not count, and an object may be cut off.
    """
    response = _FENCES.sub("", response).strip()
    if response[:1] not in ("{", "["):
        return False
    try:
        value = json.loads(response)
    except ValueError:
        return _OBJECT_BEGIN.match(response) is not None
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(item, dict) for item in value))


def repeated_text(response: str) -> str | None:
    """Return a text that a response repeats many times in a row; None if there is none."""
    if len(response) < _REPEATED_CHARACTERS:
        return None
    points = np.frombuffer(response.encode("utf-32-le", "surrogatepass"), np.uint32)
    for period in _PERIODS:
        needed = max(_REPEATED_CHARACTERS, _REPEATS * period)
        if needed > len(points):
            return None
        breaks = np.flatnonzero(points[period:] != points[:-period])
        edges = np.concatenate(([-1], breaks, [len(points) - period]))
        longest = int(np.diff(edges).argmax())
        if edges[longest + 1] - edges[longest] - 1 + period >= needed:
            start = int(edges[longest]) + 1
            return response[start : start + period]
    return None


def _check_answer(
    answers: _Answers, location: RecordLocation, question: tuple[str, ...], response: str
) -> Iterator[TrapFinding]:
    position, before = answers.setdefault(question, (location.position, response))
    if before != response:
        place = f"{location.file}: {location.position}"
        yield TrapFinding("answers-contradict", place, f"another answer than {position}, same question")
