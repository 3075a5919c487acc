"""Pairs in the form that trainers load: `messages` + `images` JSON lines (ms-swift, LLaMA-Factory, PaddleFormers).

Those loaders drop a bad sample without a word: a missing image, an ``<image>`` too many, an empty answer. The validator
here fails on each of them, and runs on every export.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

from finscribe_assets.files import AnyPath, read_table, write_bytes, write_json, write_text
from finscribe_assets.instructions.crops import crop
from finscribe_assets.instructions.pair import Pair, from_table
from finscribe_assets.rendering.pages import Page
from finscribe_assets.rendering.pages import from_table as pages_from_table
from finscribe_assets.shards import shard_files

DATA_FILE = "data.jsonl"
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class ExportSummary:
    """What an export wrote."""

    pairs: int
    images: int


class ExportError(ValueError):
    """A sample that a trainer's loader would drop."""


def export_messages(pairs: AnyPath, images: AnyPath, out: Path, *, documents: Container[str],
                    on_pair: Callable[[int], None] | None = None) -> ExportSummary:  # fmt: skip
    """Write the pairs of some documents as ``data.jsonl`` with ``images/``, and validate what was written.

    ``dataset_info.json`` beside it registers the file with LLaMA-Factory. Image paths are relative to ``out``.
    """
    lines: list[str] = []
    written: set[str] = set()
    for file in shard_files(pairs):
        wanted = [pair for pair in from_table(read_table(file)) if pair.document_id in documents]
        pages = (
            {rendered.id: rendered.pages for rendered in pages_from_table(read_table(images / file.name))}
            if wanted
            else {}
        )
        for pair in wanted:
            names = _write_images(pair, pages[pair.document_id], out, written)
            content = "<image>" * len(names) + pair.prompt
            lines.append(json.dumps({
                "messages": [{"role": "user", "content": content}, {"role": "assistant", "content": pair.response}],
                "images": names,
            }, ensure_ascii=False))  # fmt: skip
            if on_pair:
                on_pair(1)
    write_text(out / DATA_FILE, "".join(line + "\n" for line in lines))
    write_json(out / "dataset_info.json", {"finscribe": {
        "file_name": DATA_FILE, "formatting": "sharegpt", "columns": {"messages": "messages", "images": "images"},
        "tags": {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"},
    }})  # fmt: skip
    validate_messages(out / DATA_FILE)
    return ExportSummary(len(lines), len(written))


def _write_images(pair: Pair, pages: tuple[Page, ...], out: Path, written: set[str]) -> list[str]:
    names = []
    for number in pair.pages:
        page = pages[number]
        if pair.box is None:
            suffix = "png" if page.image.startswith(b"\x89PNG") else "jpg"
            name = f"images/{pair.document_id}-{number}.{suffix}"
            if name not in written:
                write_bytes(out / name, page.image)
        else:
            name = f"images/{_UNSAFE.sub('_', pair.id)}.png"
            target = out / name
            target.parent.mkdir(parents=True, exist_ok=True)
            crop(page.open(), pair.box).save(target)
        written.add(name)
        names.append(name)
    return names


def validate_messages(path: Path) -> int:
    """Check every line of a `messages` file; return their number.

    Raises:
        ExportError: with file, line and what is wrong, for anything that a loader would silently drop.
    """
    count = 0
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        problem = _problem(line, path.parent)
        if problem:
            raise ExportError(f"{path}: line {number}: {problem}")
        count += 1
    if not count:
        raise ExportError(f"{path}: no samples; the split has no documents, or the pairs are of another batch")
    return count


def _problem(line: str, folder: Path) -> str | None:
    try:
        sample: Any = json.loads(line)
    except json.JSONDecodeError as error:
        return f"not JSON ({error.msg})"
    messages, images = sample.get("messages"), sample.get("images")
    if not isinstance(messages, list) or [part.get("role") for part in messages] != ["user", "assistant"]:
        return "messages are not one user turn and one assistant turn"
    if not all(isinstance(part.get("content"), str) and part["content"].strip() for part in messages):
        return "a message is empty"
    tags = sum(part["content"].count("<image>") for part in messages)
    if not isinstance(images, list) or tags != len(images):
        return f"{tags} <image> tags for {len(images or [])} images"
    for name in images:
        file = (folder / name).resolve()
        if not file.is_relative_to(folder.resolve()):
            return f"image {name!r} lies outside the export"
        try:
            with Image.open(file) as image:
                image.verify()
        except (FileNotFoundError, UnidentifiedImageError) as error:
            return f"image {name!r} cannot be read ({error})"
    return None
