"""`messages` + `images` JSON lines, which ms-swift, LLaMA-Factory and PaddleFormers read.

A line is ``{"id": …, "messages": [{"role": "user", "content": "<image>…"}, {"role": "assistant", …}], "images": […]}``,
with one ``<image>`` before the prompt for each picture; paths are relative to the folder. ``dataset_info.json``
registers the file with LLaMA-Factory. Spans are lost: none of these readers takes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from finscribe_assets.exporting.export_samples import ExportPart, ExportSample, FormatHandler, keep_documents
from finscribe_assets.exporting.json_lines import join_parts, read_json_lines, write_part
from finscribe_assets.exporting.sample_checks import RecordLocation, SampleInspector
from finscribe_assets.files import read_json, write_json
from finscribe_assets.splitting.split_assignment import Split

MESSAGES_DATA_FILE, DATASET_INFO_FILE = "data.jsonl", "dataset_info.json"
IMAGE_TAG = "<image>"
_INFO = {
    "finscribe": {
        "file_name": MESSAGES_DATA_FILE,
        "formatting": "sharegpt",
        "columns": {"messages": "messages", "images": "images"},
        "tags": {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"},
    }
}


def messages_record(id_: str, prompt: str, response: str, names: list[str]) -> dict[str, Any]:
    """Return a line's record for a sample whose pictures lie at these paths below the folder."""
    return {
        "id": id_,
        "messages": [
            {"role": "user", "content": IMAGE_TAG * len(names) + prompt},
            {"role": "assistant", "content": response},
        ],
        "images": names,
    }


def _record(sample: ExportSample, names: list[str]) -> dict[str, Any]:
    return messages_record(sample.pair.id, sample.prompt, sample.pair.response, names)


def _write(part: ExportPart) -> None:
    write_part(part, MESSAGES_DATA_FILE, _record)


def _finish(out: Path, _: Split, parts: Sequence[ExportPart]) -> None:
    join_parts(out / MESSAGES_DATA_FILE, parts, MESSAGES_DATA_FILE)
    write_json(out / DATASET_INFO_FILE, _INFO)
    keep_documents(out, parts)


def _validate(out: Path, _: Split, inspector: SampleInspector) -> None:
    if read_json(out / DATASET_INFO_FILE) != _INFO:
        raise RecordLocation(out / DATASET_INFO_FILE, "file").error(
            "finscribe", f"does not register {MESSAGES_DATA_FILE}", "export again"
        )
    for place, record in read_json_lines(out / MESSAGES_DATA_FILE):
        check_messages_record(place, record, out, inspector)


def check_messages_record(place: RecordLocation, record: dict[str, Any], out: Path, inspector: SampleInspector) -> None:
    """Check a line's record and its pictures below the folder.

    Raises:
        ExportError: a reader of this form would drop it, or take a text for a picture.
    """
    messages, images = record.get("messages"), record.get("images")
    turns = [part.get("role") if isinstance(part, dict) else part for part in messages or ()]
    if not isinstance(messages, list) or turns != ["user", "assistant"]:
        raise place.error("messages", "not one user turn and one assistant turn", "write exactly these two, in order")
    if not isinstance(images, list) or not images:
        raise place.error("images", "no list of paths", "name the sample's pictures")
    asked, answered = (part.get("content") for part in messages)
    if not isinstance(asked, str):
        raise place.error("messages[0].content", f"{type(asked).__name__}, not text", "write a JSON string")
    prompt = asked.removeprefix(IMAGE_TAG * len(images))
    if asked.count(IMAGE_TAG) != len(images) or prompt.startswith(IMAGE_TAG) or len(prompt) == len(asked):
        raise place.error(
            "messages[0].content",
            f"{asked.count(IMAGE_TAG)} {IMAGE_TAG} tags for {len(images)} images",
            "begin it with one tag for each image, and hold none later",
        )
    inspector.check_sample(place, record.get("id"), prompt, answered)
    for number, name in enumerate(images):
        inspector.check_image_file(place, f"images[{number}]", out, name)


def _load_with(out: Path, _: Split) -> str:
    return f"swift sft --dataset {out / MESSAGES_DATA_FILE} (LLaMA-Factory: dataset_dir: {out}, dataset: finscribe)"


MESSAGES_FORMAT = FormatHandler(_write, _finish, _validate, _load_with)
