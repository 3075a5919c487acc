"""Write ``messages`` + ``images`` JSON lines, which ms-swift, LLaMA-Factory and PaddleFormers load.

A line is ``{"id": …, "messages": [{"role": "user", "content": "<image>…"}, {"role": "assistant", …}], "images": […]}``.
There is one ``<image>`` before the first prompt for each image, and paths are relative to the folder. Questions about
the same whole pages are turns of one conversation, so that the pages are encoded once. ``dataset_info.json`` registers
the file with LLaMA-Factory. Spans are lost, as none of these loaders has a field for them.
"""

from __future__ import annotations

import json
import shlex
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


def messages_record(
    id_: str, prompt: str, response: str, names: list[str], further: Sequence[tuple[str, str]] = ()
) -> dict[str, Any]:
    """Return the record of a sample.

    Args:
        id_: its id.
        prompt: its prompt.
        response: its response.
        names: paths of its images relative to the folder.
        further: prompts and responses of further turns about the same images.
    """
    turns = ((IMAGE_TAG * len(names) + prompt, response), *further)
    return {
        "id": id_,
        "messages": [
            {"role": role, "content": content}
            for turn in turns
            for role, content in zip(("user", "assistant"), turn, strict=True)
        ],
        "images": names,
    }


def _record(sample: ExportSample, names: list[str]) -> dict[str, Any]:
    return messages_record(sample.id, sample.prompt, sample.pair.response, names, sample.further)


def _write(part: ExportPart) -> None:
    write_part(part, MESSAGES_DATA_FILE, _record, join_turns=True)


def _finish(out: Path, _: Split, parts: Sequence[ExportPart]) -> None:
    join_parts(out / MESSAGES_DATA_FILE, parts, MESSAGES_DATA_FILE)
    write_json(out / DATASET_INFO_FILE, _INFO)
    keep_documents(out, parts)


def _validate(out: Path, _: Split, inspector: SampleInspector) -> None:
    if read_json(out / DATASET_INFO_FILE) != _INFO:
        raise RecordLocation(out / DATASET_INFO_FILE, "file").error(
            "finscribe", f"does not register {MESSAGES_DATA_FILE}", "export again"
        )
    for location, record in read_json_lines(out / MESSAGES_DATA_FILE):
        check_messages_record(location, record, out, inspector)


def check_messages_record(
    location: RecordLocation, record: dict[str, Any], out: Path, inspector: SampleInspector
) -> None:
    """Check a record and the images that it names.

    Args:
        location: the location of the record.
        record: the JSON object.
        out: the folder that image paths are relative to.
        inspector: counts the samples of the file and finds repeated ids.

    Raises:
        ExportError: a loader of this format would drop the sample, or take a text for an image.
    """
    messages, images = record.get("messages"), record.get("images")
    turns = [part.get("role") if isinstance(part, dict) else part for part in messages or ()]
    if not isinstance(messages, list) or not turns or turns != ["user", "assistant"] * (len(turns) // 2):
        raise location.error(
            "messages", "not user and assistant in turn", "begin with the user, and end with the assistant"
        )
    if not isinstance(images, list) or not images:
        raise location.error("images", "not a list of paths", "name the sample's images")
    content, response, *others = (part.get("content") for part in messages)
    if not isinstance(content, str):
        raise location.error("messages[0].content", f"{type(content).__name__}, not text", "write a JSON string")
    prompt = content.removeprefix(IMAGE_TAG * len(images))
    if content.count(IMAGE_TAG) != len(images) or prompt.startswith(IMAGE_TAG) or len(prompt) == len(content):
        raise location.error(
            "messages[0].content",
            f"{content.count(IMAGE_TAG)} {IMAGE_TAG} tags for {len(images)} images",
            "begin it with one tag for each image, and write no other tags",
        )
    further = list(zip(others[::2], others[1::2], strict=True))
    inspector.check_sample(location, record.get("id"), prompt, response, further)
    sizes = [inspector.check_image_file(location, f"images[{number}]", out, name) for number, name in enumerate(images)]
    inspector.count_tokens(record["id"], sizes, (prompt, response, *others))


def _load_with(out: Path, _: Split) -> str:
    # ms-swift takes relative image paths from the working folder, LLaMA-Factory from its dataset_dir.
    return (
        f"cd {shlex.quote(str(out))} && swift sft --dataset {MESSAGES_DATA_FILE} "
        f"(LLaMA-Factory: dataset_dir: {json.dumps(str(out), ensure_ascii=False)}, dataset: finscribe)"
    )


MESSAGES_FORMAT = FormatHandler(_write, _finish, _validate, _load_with)
