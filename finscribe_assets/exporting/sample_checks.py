"""Check samples of every format for what loaders drop, and report where the sample is and how to fix it.

Loaders drop a sample with a warning that nobody reads, or fail hours into a run. Each check stands for one such case: a
missing or truncated image, one image tag too many, an empty response, half a surrogate pair.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image, ImageFile, UnidentifiedImageError

from finscribe_assets.errors import UserError
from finscribe_assets.instructions.token_count import MAX_TOKENS, sample_tokens
from finscribe_assets.rendering.model_resize import PADDLEOCR_VL_1_5, PixelBudget

MIN_IMAGE_SIDE = 28  # pixels: 2 × 2 patches of PaddleOCR-VL's vision tower; it enlarges smaller images to this size

# Texts that loaders replace or take for an image. LLaMA-Factory, ms-swift and PaddleFormers do so with the first three,
# ms-swift with the next two, PaddleOCR-VL's own template with the last three.
PLACEHOLDER_TAGS = (
    "<image>",
    "<audio>",
    "<video>",
    "<bbox>",
    "<ref-object>",
    "<|IMAGE_START|>",
    "<|IMAGE_PLACEHOLDER|>",
    "<|IMAGE_END|>",
)


class ExportError(UserError):
    """A sample that a trainer's loader would drop or fail on."""


class RecordLocation(NamedTuple):
    """The location of a record: a file and a position in it, such as ``line 3``."""

    file: Path | str
    position: str

    def error(self, field_name: str, problem: str, fix: str) -> ExportError:
        """Return the error for a field of this record.

        Args:
            field_name: the field, such as ``messages[0].content``.
            problem: what is wrong with it.
            fix: what to do about it.
        """
        return ExportError(f"{self.file}: {self.position}: {field_name}: {problem}; {fix}")


@dataclass(frozen=True)
class ExportTally:
    """The counts that the validator of an export made."""

    samples: int
    pairs: int  # in samples: several where questions about the same pages are one conversation
    images: int  # image files, or images in shards
    small_images: int  # images with a side below MIN_IMAGE_SIDE pixels
    longest_characters: int  # characters of prompt and response of the longest sample
    longest_id: str  # its id
    most_tokens: int  # tokens of the sample that has most, images included
    too_long: tuple[str, ...]  # ids of samples with more tokens than the limit


@dataclass
class SampleInspector:
    """Checks the samples of one export one after the other and counts them.

    It holds all ids in memory, but neither texts nor images.

    Attributes:
        max_characters: limit of prompt and response together; None for no limit.
        max_tokens: number of tokens from which on a sample counts as too long.
        budget: to which the model's processor scales images.
        on_samples: called with the number of samples that were checked since the last call.
    """

    max_characters: int | None = None
    max_tokens: int = MAX_TOKENS
    budget: PixelBudget = PADDLEOCR_VL_1_5
    on_samples: Callable[[int], None] | None = None
    _ids: set[str] = field(default_factory=set)
    _files: dict[str, tuple[int, int]] = field(default_factory=dict)  # sizes by name
    _too_long: list[str] = field(default_factory=list)
    _most_tokens: int = 0
    _samples: int = 0
    _pairs: int = 0
    _images: int = 0
    _small_images: int = 0
    _longest: tuple[int, str] = (0, "")

    def tally_too_long(self) -> int:
        """Return the number of samples so far that are too long."""
        return len(self._too_long)

    def tally(self) -> ExportTally:
        """Return the counts."""
        return ExportTally(
            self._samples,
            self._pairs,
            self._images,
            self._small_images,
            *self._longest,
            self._most_tokens,
            tuple(self._too_long),
        )

    def check_id(self, location: RecordLocation, id_: Any) -> None:
        """Check the id of a sample, and count the sample.

        Raises:
            ExportError: the id is not a text, empty, or that of an earlier sample.
        """
        if not isinstance(id_, str) or not id_:
            raise location.error("id", f"{id_!r} is not an id", "give every sample a text as its id")
        if id_ in self._ids:
            raise location.error("id", f"an earlier sample has the id {id_!r}", "give every sample its own id")
        self._ids.add(id_)
        self.count_sample()

    def count_sample(self) -> None:
        """Count one sample."""
        self._samples += 1
        if self.on_samples:
            self.on_samples(1)

    def count_tokens(self, id_: str, sizes: Iterable[tuple[int, int]], texts: Iterable[str]) -> None:
        """Count the tokens of a sample; one that is too long is remembered by its id, and is no error."""
        tokens = sample_tokens(sizes, texts, self.budget)
        self._most_tokens = max(self._most_tokens, tokens)
        if tokens > self.max_tokens:
            self._too_long.append(id_)

    def check_sample(
        self, location: RecordLocation, id_: Any, prompt: Any, response: Any, further: Sequence[tuple[Any, Any]] = ()
    ) -> None:
        """Check the id and the texts of a sample, and count the sample.

        Args:
            location: the location of the sample.
            id_: its id.
            prompt: its prompt, without the tags that stand for its images.
            response: its response.
            further: the prompts and responses of further turns about the same images.

        Raises:
            ExportError: the id or a text is invalid, or the texts are longer than the limit.
        """
        self.check_id(location, id_)
        self._pairs += 1 + len(further)
        characters = 0
        for asked, answered in ((prompt, response), *further):
            check_texts(location, asked, answered)
            characters += len(asked) + len(answered)
        if self.max_characters is not None and characters > self.max_characters:
            raise location.error(
                "prompt and response",
                f"{characters} characters, the limit is {self.max_characters}",
                "raise the limit, or leave this task out of the pairs",
            )
        self._longest = max(self._longest, (characters, id_), key=lambda longest: longest[0])

    def check_image(self, location: RecordLocation, field_name: str, content: Any) -> tuple[int, int]:
        """Check an encoded image by decoding all of it; return its width and height in pixels.

        Raises:
            ExportError: there is no image, or it is not complete.
        """
        if not isinstance(content, bytes) or not content:
            raise location.error(field_name, "there is no image", "export again")
        try:
            size = _image_size(content)
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise location.error(field_name, f"not a complete image ({error})", "export again") from error
        self._images += 1
        self._small_images += min(size) < MIN_IMAGE_SIDE
        return size

    def check_image_file(self, location: RecordLocation, field_name: str, folder: Path, name: Any) -> tuple[int, int]:
        """Check an image file that a sample names; each file is decoded once. Return its width and height in pixels.

        Args:
            location: the location of the sample.
            field_name: the sample's field that names the file.
            folder: the folder of the export.
            name: the file's path relative to the folder.

        Raises:
            ExportError: the path is invalid or outside the folder, or the file is missing or not a complete image.
        """
        if not isinstance(name, str) or not name:
            raise location.error(field_name, f"{name!r} is not a path", "name a file of the export")
        if name in self._files:
            return self._files[name]
        file = folder / name
        if "://" in name or not file.resolve().is_relative_to(folder.resolve()):
            raise location.error(
                field_name, f"{name!r} is outside the export", "name files relative to the export's folder"
            )
        if not file.is_file():
            raise location.error(field_name, f"{name!r} does not exist", "export again")
        self._files[name] = self.check_image(location, f"{field_name} {name!r}", file.read_bytes())
        return self._files[name]


@lru_cache(maxsize=16)  # samples are sorted by document, and many show the same page
def _image_size(content: bytes) -> tuple[int, int]:
    # WeasyPrint, once imported, makes Pillow accept truncated images.
    accepts_truncated, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
    try:
        with Image.open(io.BytesIO(content)) as image:
            image.load()
            return image.size
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = accepts_truncated


def check_texts(location: RecordLocation, prompt: Any, response: Any) -> None:
    """Check the texts of a sample.

    Args:
        location: the location of the sample.
        prompt: its prompt, without the tags that stand for its images.
        response: its response.

    Raises:
        ExportError: a text is empty, not a text, not valid Unicode, or contains a tag that a loader would replace.
    """
    for field_name, text in (("prompt", prompt), ("response", response)):
        if not isinstance(text, str):
            raise location.error(field_name, f"{type(text).__name__}, not text", "write a JSON string")
        if not text.strip():
            raise location.error(field_name, "empty", "write a text, or leave the sample out")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise location.error(
                field_name, f"half a surrogate pair at character {error.start}", "write the whole character"
            ) from error
        tags = [tag for tag in PLACEHOLDER_TAGS if tag in text]
        if tags:
            raise location.error(
                field_name,
                f"contains {tags[0]}, which loaders take for a placeholder",
                "write it in other words; the tags of images belong before the prompt",
            )


def check_spans(location: RecordLocation, spans: Any, response: str) -> None:
    """Check the spans of a response, dictionaries with ``start``, ``end``, ``kind`` and ``path``.

    Raises:
        ExportError: a span has other keys, or is not inside the response.
    """
    has_right_keys = isinstance(spans, Sequence) and all(
        isinstance(span, dict) and span.keys() == {"start", "end", "kind", "path"} for span in spans
    )
    if not has_right_keys:
        raise location.error("spans", "not a list of start, end, kind and path", "export again")
    for span in spans:
        start, end = span["start"], span["end"]
        if not (isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= len(response)):
            raise location.error(
                "spans", f"{start} to {end} of a response of {len(response)} characters", "export again"
            )
