"""Write tar shards that `webdataset` streams: the members of a sample follow each other and share a key.

The members of a sample are its images in order, ``KEY.0.png`` or ``KEY.0.jpg`` and so on (a stored page keeps its
encoding), and ``KEY.json``: id, document_id, task, target, element, prompt, response, spans, and images, which are the
suffixes of the images in order. No field of a sample is lost. Keys contain no dots, as a key ends at the first dot.
Headers hold no time and no owner, so that equal samples give equal bytes.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from finscribe_assets.exporting.export_samples import ExportPart, ExportSample, FormatHandler, keep_only
from finscribe_assets.exporting.file_names import file_name_for
from finscribe_assets.exporting.json_lines import json_line, parse_object
from finscribe_assets.exporting.sample_checks import RecordLocation, SampleInspector, check_spans
from finscribe_assets.files import atomic_write
from finscribe_assets.splitting.split_assignment import Split

TAR_FOLDER = "shards"
_JSON = "json"


def _shard_name(split: Split, number: int) -> str:
    return f"{split}-{number:05d}.tar"


def _members(sample: ExportSample) -> Iterator[tuple[str, bytes]]:
    pair = sample.pair
    images = {f"{number}.{image.suffix}": image.content for number, image in enumerate(sample.images)}
    yield from images.items()
    yield (
        _JSON,
        json_line(
            {
                "id": pair.id,
                "document_id": pair.document_id,
                "task": str(pair.task),
                "target": pair.target,
                "element": pair.element,
                "prompt": sample.prompt,
                "response": pair.response,
                "spans": sample.spans,
                "images": list(images),
            }
        ),
    )


def _write(part: ExportPart) -> None:
    path = part.out / TAR_FOLDER / _shard_name(part.split, part.number)
    with atomic_write(path) as stream, tarfile.open(fileobj=stream, mode="w|", format=tarfile.USTAR_FORMAT) as tar:
        for sample in part.read_samples():
            for suffix, content in _members(sample):
                member = tarfile.TarInfo(f"{file_name_for(sample.pair.id)}.{suffix}")  # its time and owner default to 0
                member.size, member.mode = len(content), 0o644
                tar.addfile(member, io.BytesIO(content))


def _finish(out: Path, split: Split, parts: Sequence[ExportPart]) -> None:
    keep_only(out / TAR_FOLDER, {_shard_name(split, part.number) for part in parts})


def _validate(out: Path, split: Split, inspector: SampleInspector) -> None:
    keys: set[str] = set()
    for number, file in enumerate(sorted((out / TAR_FOLDER).glob("*.tar"))):
        if file.name != _shard_name(split, number):
            raise RecordLocation(out / TAR_FOLDER, file.name).error("name", f"not shard {number}", "export again")
        for key, members in groupby(_read_members(file), key=lambda member: member[0]):
            location = RecordLocation(file, f"sample {key}")
            if key in keys:
                raise location.error(
                    "key", "an earlier sample has this key", "write the members of a sample one after the other"
                )
            keys.add(key)
            _check_members(location, [(suffix, content) for _, suffix, content in members], inspector)


def _read_members(file: Path) -> Iterator[tuple[str, str, bytes]]:
    """Yield the members of a shard as key, suffix and content; the loader skips what has no dot or is not a file."""
    try:
        with tarfile.open(file, "r|") as tar:
            for member in tar:
                key, _, suffix = member.name.partition(".")
                content = tar.extractfile(member) if member.isreg() else None
                if not key or not suffix or "/" in member.name or key.startswith("__") or content is None:
                    raise RecordLocation(file, f"member {member.name!r}").error(
                        "name", "not a file KEY.SUFFIX", "export again"
                    )
                yield key, suffix, content.read()
    except (tarfile.TarError, OSError) as error:
        raise RecordLocation(file, "file").error(
            "content", f"not a complete tar file ({error})", "export again"
        ) from error


def _check_members(location: RecordLocation, members: list[tuple[str, bytes]], inspector: SampleInspector) -> None:
    by_suffix = dict(members)
    if len(by_suffix) != len(members):
        raise location.error("members", "two have the same name", "keep one of them")
    if _JSON not in by_suffix:
        raise location.error(_JSON, "the member is missing", "export again")
    record: dict[str, Any] = parse_object(location, by_suffix.pop(_JSON))
    if not record.get("images") or record["images"] != list(by_suffix):
        raise location.error(
            "images", f"names {record.get('images')}, but the members are {list(by_suffix)}", "export again"
        )
    inspector.check_sample(location, record.get("id"), record.get("prompt"), record.get("response"))
    check_spans(location, record.get("spans"), record["response"])
    sizes = [inspector.check_image(location, suffix, content) for suffix, content in by_suffix.items()]
    inspector.count_tokens(record["id"], sizes, (record["prompt"], record["response"]))


def _load_with(out: Path, split: Split) -> str:
    # A list of paths: in a single text, the loader would expand braces of the folder's name, too.
    shards = f'sorted(map(str, pathlib.Path({str(out / TAR_FOLDER)!r}).glob("{split}-*.tar")))'
    return f'webdataset.WebDataset({shards}, shardshuffle=False).decode("pill")'


WEBDATASET_FORMAT = FormatHandler(_write, _finish, _validate, _load_with)
