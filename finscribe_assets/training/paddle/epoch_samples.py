"""Samples for Paddle's tools: every showing of the whole training, in order, one JSON line each.

Order and variation are those of the peft back end, so that all back ends learn the same from the same settings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from finscribe_assets.exporting import erniekit_format, messages_format
from finscribe_assets.exporting.file_names import file_name_for
from finscribe_assets.exporting.json_lines import json_line, read_json_lines
from finscribe_assets.exporting.sample_checks import RecordLocation, SampleInspector
from finscribe_assets.training.sample_encoding import EncodedSample, Vary

DATA_FILE, IMAGES = "data.jsonl", "images"


@dataclass(frozen=True)
class Form:
    """A form of `exporting`: its records, and the check that nothing would be dropped without a word."""

    record_of: Callable[[str, str, str, list[str]], dict[str, Any]]
    check_record: Callable[[RecordLocation, dict[str, Any], Path, SampleInspector], None]
    encoded: bool  # with our tokens and weights, for `plugin` to take


MESSAGES = Form(messages_format.messages_record, messages_format.check_messages_record, encoded=True)
ERNIEKIT = Form(erniekit_format.erniekit_record, erniekit_format.check_erniekit_record, encoded=False)


def write_showings(
    form: Form, batches: Iterable[tuple[list[EncodedSample], Vary | None]], folder: Path, image_token: int, count: int
) -> None:
    """Write the first ``count`` showings of batches with their images, and check the file as its reader would.

    A varied image is written for each showing, one that is shown as it is once.

    Raises:
        ExportError: a sample is such that the tool would drop it.
    """
    (folder / IMAGES).mkdir(parents=True)
    showings = ((one, vary) for batch, vary in batches for one in batch)
    with (folder / DATA_FILE).open("wb") as stream:
        for number, (one, vary) in enumerate(islice(showings, count)):
            names = _pictures(one, vary, folder, number)
            record = form.record_of(f"{one.sample.id}@{number}", one.sample.prompt, one.sample.response, names)
            stream.write(json_line(record | (_encoded(one, image_token) if form.encoded else {})))
    inspector = SampleInspector()
    for place, record in read_json_lines(folder / DATA_FILE):
        form.check_record(place, record, folder, inspector)


def _pictures(one: EncodedSample, vary: Vary | None, folder: Path, number: int) -> list[str]:
    names = []
    for place, picture in enumerate(one.sample.images):
        names.append(f"{IMAGES}/{file_name_for(one.sample.id)}-{place}{f'-{number}' if vary else ''}.png")
        if not (folder / names[-1]).exists():
            image = picture.open()
            (vary(image, one.sample.id) if vary else image).save(folder / names[-1])
    return names


def _encoded(one: EncodedSample, image_token: int) -> dict[str, Any]:
    """Return tokens and weights; image tokens stand once an image, to be repeated for the size that it is given."""
    prompt = [
        token
        for token, run in groupby(one.tokens[: one.answer_start])
        for token in ([token] if token == image_token else run)
    ]
    return {
        "prompt_tokens": prompt,
        "answer_tokens": list(one.answer),
        "weights": list(one.weights),
        "length": len(one.tokens),
    }
