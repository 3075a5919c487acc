"""What every form of a sample is checked for, and the error that says where it is wrong and how to mend it.

Loaders drop a sample with a warning nobody reads, or fail hours into a run. Each check here stands for one of those:
a missing or truncated picture, a tag too many, an empty answer, half a surrogate pair.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image, ImageFile, UnidentifiedImageError

from finscribe_assets.errors import UserError

MIN_IMAGE_SIDE = 28  # pixels: a patch of PaddleOCR-VL's vision tower, two by two; smaller pictures are enlarged to it

# What loaders replace in a text, or take for a picture: LLaMA-Factory, ms-swift and PaddleFormers the first three,
# ms-swift the next two, PaddleOCR-VL's own template the last three.
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
    """Where something stands: a file, and what of it, such as ``line 3``."""

    file: Path | str
    where: str

    def error(self, what: str, problem: str, mend: str) -> ExportError:
        """Return the error for a field of what stands here, with what to do about it."""
        return ExportError(f"{self.file}: {self.where}: {what}: {problem}; {mend}")


@dataclass(frozen=True)
class ExportTally:
    """What an export holds, as its validator counted it."""

    samples: int
    images: int  # picture files, or pictures in shards
    small_images: int  # with a side of less than SMALLEST_SIDE pixels
    longest_characters: int  # characters of the longest sample's prompt and response together
    longest_id: str


@dataclass
class SampleInspector:
    """Checks the samples of one export one after the other and counts them; ids are held, texts and pictures are not.

    ``max_characters`` limits prompt and response together; None only reports the longest. ``on_samples`` is told how
    many more are checked.
    """

    max_characters: int | None = None
    on_samples: Callable[[int], None] | None = None
    _ids: set[str] = field(default_factory=set)
    _files: set[str] = field(default_factory=set)
    _samples: int = 0
    _images: int = 0
    _small: int = 0
    _longest: tuple[int, str] = (0, "")

    def tally(self) -> ExportTally:
        """Return what was counted."""
        return ExportTally(self._samples, self._images, self._small, *self._longest)

    def check_id(self, place: RecordLocation, id_: Any) -> None:
        """Count a sample that has an id.

        Raises:
            ExportError: it has none, or a sample before had the same.
        """
        if not isinstance(id_, str) or not id_:
            raise place.error("id", f"{id_!r} is no id", "give every sample a text of its own")
        if id_ in self._ids:
            raise place.error("id", f"{id_!r} was there before", "give every sample an id of its own")
        self._ids.add(id_)
        self.count_sample()

    def count_sample(self) -> None:
        """Count a sample that has been checked, or is being."""
        self._samples += 1
        if self.on_samples:
            self.on_samples(1)

    def check_sample(self, place: RecordLocation, id_: Any, prompt: Any, response: Any) -> None:
        """Check a sample's id and texts.

        Raises:
            ExportError: the id is not its own, a text is unfit, or both together are longer than the limit.
        """
        self.check_id(place, id_)
        check_texts(place, prompt, response)
        characters = len(prompt) + len(response)
        if self.max_characters is not None and characters > self.max_characters:
            raise place.error(
                "prompt and response",
                f"{characters} characters, the limit is {self.max_characters}",
                "raise the limit, or leave this task out of the pairs",
            )
        self._longest = max(self._longest, (characters, id_), key=lambda found: found[0])

    def check_image(self, place: RecordLocation, what: str, content: Any) -> tuple[int, int]:
        """Check an encoded picture by decoding all of it; return its width and height in pixels.

        Raises:
            ExportError: it is absent, or no whole picture.
        """
        if not isinstance(content, bytes) or not content:
            raise place.error(what, "there is no picture", "export again")
        try:
            size = _size_of(content)
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise place.error(what, f"not a whole picture ({error})", "export again") from error
        self._images += 1
        self._small += min(size) < MIN_IMAGE_SIDE
        return size

    def check_image_file(self, place: RecordLocation, what: str, folder: Path, name: Any) -> None:
        """Check a picture that a sample names by its path below a folder; each file is decoded once.

        Raises:
            ExportError: the path leads out of the folder, or the file is missing or no whole picture.
        """
        if not isinstance(name, str) or not name:
            raise place.error(what, f"{name!r} is no path", "name a file of the export")
        if name in self._files:
            return
        file = folder / name
        if "://" in name or not file.resolve().is_relative_to(folder.resolve()):
            raise place.error(what, f"{name!r} lies outside the export", "name files relative to the export's folder")
        if not file.is_file():
            raise place.error(what, f"{name!r} does not exist", "export again")
        self.check_image(place, f"{what} {name!r}", file.read_bytes())
        self._files.add(name)


@lru_cache(maxsize=16)  # pairs come document by document, and many show the same page
def _size_of(content: bytes) -> tuple[int, int]:
    # WeasyPrint, where it is imported, tells Pillow to fill in what a truncated picture lacks.
    lenient, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
    try:
        with Image.open(io.BytesIO(content)) as image:
            image.load()
            return image.size
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = lenient


def check_texts(place: RecordLocation, prompt: Any, response: Any) -> None:
    """Check a sample's prompt, which is without the tags that stand for its pictures, and its response.

    Raises:
        ExportError: one of them is empty, no text, cannot be written as UTF-8, or holds what a loader would replace.
    """
    for what, text in (("prompt", prompt), ("response", response)):
        if not isinstance(text, str):
            raise place.error(what, f"{type(text).__name__}, not text", "write a JSON string")
        if not text.strip():
            raise place.error(what, "empty", "leave the sample out, or say what is asked and answered")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise place.error(
                what, f"half a surrogate pair at character {error.start}", "write the whole character"
            ) from error
        found = [tag for tag in PLACEHOLDER_TAGS if tag in text]
        if found:
            raise place.error(
                what,
                f"holds {found[0]}, which loaders take for a placeholder",
                "write it in other words; pictures' own tags stand before the prompt",
            )


def check_spans(place: RecordLocation, spans: Any, response: str) -> None:
    """Check the spans of a response, each a dictionary of start, end, kind and path.

    Raises:
        ExportError: one of them does not lie within the response.
    """
    good = isinstance(spans, Sequence) and all(
        isinstance(span, dict) and span.keys() == {"start", "end", "kind", "path"} for span in spans
    )
    if not good:
        raise place.error("spans", "not a list of start, end, kind and path", "export again")
    for span in spans:
        start, end = span["start"], span["end"]
        if not (isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= len(response)):
            raise place.error("spans", f"{start} to {end} of a response of {len(response)} characters", "export again")
