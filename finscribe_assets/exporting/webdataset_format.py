"""Tar shards as `webdataset` streams them: the members of a sample stand together and share a key.

A sample's members are its pictures, ``KEY.0.png`` or ``KEY.0.jpg`` and so on in order (a stored page keeps its own
encoding), and ``KEY.json``: id, document_id, task, target, element, prompt, response, spans, and images, the suffixes
of its pictures in order. Nothing of a sample is lost. Keys have no dots, as a key ends at the first. Headers carry no
time or owner.
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
    pictures = {f"{number}.{picture.suffix}": picture.content for number, picture in enumerate(sample.pictures)}
    yield from pictures.items()
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
                "images": list(pictures),
            }
        ),
    )


def _write(part: ExportPart) -> None:
    path = part.out / TAR_FOLDER / _shard_name(part.split, part.number)
    with atomic_write(path) as stream, tarfile.open(fileobj=stream, mode="w|", format=tarfile.USTAR_FORMAT) as tar:
        for sample in part.read_samples():
            for suffix, content in _members(sample):
                member = tarfile.TarInfo(f"{file_name_for(sample.pair.id)}.{suffix}")  # its time and owner are 0
                member.size, member.mode = len(content), 0o644
                tar.addfile(member, io.BytesIO(content))


def _finish(out: Path, split: Split, parts: Sequence[ExportPart]) -> None:
    keep_only(out / TAR_FOLDER, {_shard_name(split, part.number) for part in parts})


def _validate(out: Path, split: Split, inspector: SampleInspector) -> None:
    keys: set[str] = set()
    for number, file in enumerate(sorted((out / TAR_FOLDER).glob("*.tar"))):
        if file.name != _shard_name(split, number):
            raise RecordLocation(out / TAR_FOLDER, file.name).error("name", f"not shard {number}", "export again")
        for key, members in groupby(_read(file), key=lambda member: member[0]):
            place = RecordLocation(file, f"sample {key}")
            if key in keys:
                raise place.error("key", "there was such a sample before", "keep a sample's members together")
            keys.add(key)
            _check(place, [(suffix, content) for _, suffix, content in members], inspector)


def _read(file: Path) -> Iterator[tuple[str, str, bytes]]:
    """Yield a shard's members as key, suffix and content; the loader leaves out what has no dot or is no file."""
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
        raise RecordLocation(file, "file").error("content", f"no whole tar file ({error})", "export again") from error


def _check(place: RecordLocation, members: list[tuple[str, bytes]], inspector: SampleInspector) -> None:
    found = dict(members)
    if len(found) != len(members):
        raise place.error("members", "two have one name", "keep one of them")
    if _JSON not in found:
        raise place.error(_JSON, "there is none", "export again")
    record: dict[str, Any] = parse_object(place, found.pop(_JSON))
    if not record.get("images") or record["images"] != list(found):
        raise place.error("images", f"{record.get('images')} are named, {list(found)} are there", "export again")
    inspector.check_sample(place, record.get("id"), record.get("prompt"), record.get("response"))
    check_spans(place, record.get("spans"), record["response"])
    for suffix, content in found.items():
        inspector.check_image(place, suffix, content)


def _load_with(out: Path, split: Split) -> str:
    last = len(list((out / TAR_FOLDER).glob("*.tar"))) - 1
    shards = f"{out / TAR_FOLDER}/{split}-{{00000..{last:05d}}}.tar"
    return f'webdataset.WebDataset("{shards}", shardshuffle=False).decode("pill")'


WEBDATASET_FORMAT = FormatHandler(_write, _finish, _validate, _load_with)
