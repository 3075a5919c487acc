"""Write ERNIEKit's SFT-VL JSON lines, which ERNIEKit and PaddleFormers (``dataset_type: erniekit``) load.

A line is ``{"id": …, "image_info": [{"image_url": …, "matched_text_index": 0}], "text_info": [{"text": …, "tag":
"mask"}, {"text": …, "tag": "no_mask"}]}``. An image is placed before the text whose index it names; ``mask`` is the
prompt, ``no_mask`` the response. Paths are relative to the folder. Spans are lost, as the format has no field for them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from finscribe_assets.exporting.export_samples import ExportPart, ExportSample, FormatHandler, keep_documents
from finscribe_assets.exporting.json_lines import join_parts, read_json_lines, write_part
from finscribe_assets.exporting.sample_checks import RecordLocation, SampleInspector
from finscribe_assets.splitting.split_assignment import Split

ERNIEKIT_DATA_FILE = "data.jsonl"


def erniekit_record(id_: str, prompt: str, response: str, names: list[str]) -> dict[str, Any]:
    """Return the record of a sample; ``names`` are the paths of its images relative to the folder."""
    return {
        "id": id_,
        "image_info": [{"image_url": f"./{name}", "matched_text_index": 0} for name in names],
        "text_info": [{"text": prompt, "tag": "mask"}, {"text": response, "tag": "no_mask"}],
    }


def _record(sample: ExportSample, names: list[str]) -> dict[str, Any]:
    return erniekit_record(sample.pair.id, sample.prompt, sample.pair.response, names)


def _write(part: ExportPart) -> None:
    write_part(part, ERNIEKIT_DATA_FILE, _record)


def _finish(out: Path, _: Split, parts: Sequence[ExportPart]) -> None:
    join_parts(out / ERNIEKIT_DATA_FILE, parts, ERNIEKIT_DATA_FILE)
    keep_documents(out, parts)


def _validate(out: Path, _: Split, inspector: SampleInspector) -> None:
    for location, record in read_json_lines(out / ERNIEKIT_DATA_FILE):
        check_erniekit_record(location, record, out, inspector)


def check_erniekit_record(
    location: RecordLocation, record: dict[str, Any], out: Path, inspector: SampleInspector
) -> None:
    """Check a record and the images that it names.

    Args:
        location: the location of the record.
        record: the JSON object.
        out: the folder that image paths are relative to.
        inspector: counts the samples of the file and finds repeated ids.

    Raises:
        ExportError: a loader of this format would drop the sample, or not location an image before the prompt.
    """
    texts, images = record.get("text_info"), record.get("image_info")
    tags = [part.get("tag") if isinstance(part, dict) else part for part in texts or ()]
    if not isinstance(texts, list) or tags != ["mask", "no_mask"]:
        raise location.error("text_info", "not one text tagged mask and one tagged no_mask", "write exactly these two")
    if not isinstance(images, list) or not images or not all(isinstance(image, dict) for image in images):
        raise location.error("image_info", "not a list of images", "name the sample's images")
    prompt, response = (part.get("text") for part in texts)
    inspector.check_sample(location, record.get("id"), prompt, response)
    sizes = []
    for number, image in enumerate(images):
        index = image.get("matched_text_index")
        if type(index) is not int or index != 0:
            raise location.error(
                f"image_info[{number}].matched_text_index",
                f"{index!r} does not place the image before the prompt",
                "write 0",
            )
        name = f"image_info[{number}].image_url"
        sizes.append(inspector.check_image_file(location, name, out, image.get("image_url")))
    inspector.count_tokens(record["id"], sizes, (prompt, response))


def _load_with(out: Path, _: Split) -> str:
    path = json.dumps(str(out / ERNIEKIT_DATA_FILE), ensure_ascii=False)
    return f"paddleformers-cli train with train_dataset_path: {path}, train_dataset_type: erniekit"


ERNIEKIT_FORMAT = FormatHandler(_write, _finish, _validate, _load_with)
