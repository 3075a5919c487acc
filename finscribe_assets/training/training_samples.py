"""What an adapter learns from: pairs of the manifest's documents, each with its images at hand.

What belongs here: which pairs of which split, and their images cut from the pages. A base that reads lines is given
them fitted, held in memory; one that reads pages opens them from files when their turn comes. A pair that is not used
is counted under its reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from PIL import Image

from finscribe_assets.errors import UserError
from finscribe_assets.files import AnyPath, read_table, sha256_of
from finscribe_assets.instructions.crops import apply_patches, crop
from finscribe_assets.instructions.otsl import ROW_END
from finscribe_assets.instructions.pair import Pair, Patch, Span, Task, pairs_from_table
from finscribe_assets.model.line_finding import find_lines
from finscribe_assets.model.line_images import LINE_HEIGHT, fit_line
from finscribe_assets.rendering.pages import Box, Page
from finscribe_assets.shards import read_fingerprint, shard_files
from finscribe_assets.splitting.manifest import read_manifest
from finscribe_assets.splitting.split_assignment import Split
from finscribe_assets.splitting.split_table import read_splits

EXAMPLES = 5  # ids that are kept of each reason
END_OF_LINE = {Task.OCR_REGION: "\n", Task.TABLE: ROW_END}  # what parts the lines of an answer
OF_LINES = (Task.OCR_LINE, *END_OF_LINE)  # tasks that a base which reads lines can learn


class SampleImage(Protocol):
    """An image of a sample."""

    @property
    def width(self) -> int:
        """Return the width in pixels."""
        ...

    @property
    def height(self) -> int:
        """Return the height in pixels."""
        ...

    def open(self) -> Image.Image:
        """Return the pixels."""
        ...


@dataclass(frozen=True)
class LineImage:
    """A fitted line, in memory: 28 rows of grey bytes."""

    pixels: bytes
    width: int
    height: int = LINE_HEIGHT

    @classmethod
    def of(cls, image: Image.Image) -> LineImage:
        """Fit an image's line."""
        fitted = fit_line(image)
        return cls(fitted.tobytes(), fitted.width)

    def open(self) -> Image.Image:
        """Return the line, in mode L."""
        return Image.frombytes("L", (self.width, self.height), self.pixels)


@dataclass(frozen=True)
class PageImage:
    """A page in a file, with its patches, or a box of it."""

    file: Path
    width: int
    height: int
    box: Box | None = None
    patches: tuple[Patch, ...] = ()

    @classmethod
    def of(cls, page: Page, file: Path, box: Box | None, patches: tuple[Patch, ...] = ()) -> PageImage:
        """Describe a page's picture; the size of a box is that of its crop."""
        if box is None:
            return cls(file, page.width, page.height, None, patches)
        cut = crop(Image.new("1", (page.width, page.height)), box)
        return cls(file, cut.width, cut.height, box, patches)

    def open(self) -> Image.Image:
        """Return the page or its crop, in mode L."""
        with Image.open(self.file) as page:
            grey = apply_patches(page.convert("L"), self.patches)
        return crop(grey, self.box) if self.box else grey


@dataclass(frozen=True)
class TrainingSample:
    """A pair to learn: images in order, what is asked of them, and the answer."""

    id: str
    batch: str
    prompt: str
    response: str
    images: tuple[SampleImage, ...]
    spans: tuple[Span, ...] = ()  # what the parts of the response are


@dataclass
class LeftOut:
    """Pairs that are not learnt, by reason."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def add(self, reason: str, name: str) -> None:
        """Count one pair under a reason."""
        self.counts[reason] += 1
        examples = self.examples.setdefault(reason, [])
        if len(examples) < EXAMPLES:
            examples.append(name)

    def merge(self, other: LeftOut) -> None:
        """Add another's counts and examples."""
        self.counts.update(other.counts)
        for reason, names in other.examples.items():
            self.examples[reason] = (self.examples.get(reason, []) + names)[:EXAMPLES]


@dataclass(frozen=True)
class TrainingBatchFolders:
    """Where a batch's pairs and page images lie."""

    key: str
    pairs: AnyPath
    images: AnyPath


@dataclass(frozen=True)
class SampleSource:
    """A data set: the folder of its manifest and splits, and those of its batches, oldest first."""

    splits: AnyPath
    batches: tuple[TrainingBatchFolders, ...]

    def checked(self) -> SampleSource:
        """Return the source itself.

        Raises:
            UserError: the batches are not those of the manifest, in its order.
        """
        listed = [batch.key for batch in read_manifest(self.splits).batches]
        given = [batch.key for batch in self.batches]
        if listed != given:
            raise UserError(
                f"{self.splits}: the manifest lists the batches {listed}, but folders were given for "
                f"{given}; give each listed batch's folders, oldest first"
            )
        return self

    def data_version(self) -> str:
        """Return a hash of all that samples are made of: the manifest, and what the page images were made from."""
        images = [read_fingerprint(file) for batch in self.batches for file in shard_files(batch.images)]
        return sha256_of("\n".join([read_manifest(self.splits).data_version(), *images]))


def read_samples(
    source: SampleSource,
    split: Split,
    tasks: Sequence[Task],
    *,
    lines: bool,
    spool: Path,
    most_lines: int | None = None,
) -> tuple[list[TrainingSample], LeftOut]:
    """Read the samples of a split, in the order of batches and pairs.

    ``lines``: fit every image as a line and hold it in memory; of the printed lines of each block or table take
    ``most_lines`` at most. Else pages are written below ``spool`` and opened from there one by one.

    Raises:
        UserError: the batches are not the manifest's, or a base that reads lines is asked for another task.
    """
    others = [str(task) for task in tasks if task not in OF_LINES]
    if lines and others:
        raise UserError(
            f"tasks: this base reads single printed lines and cannot learn {', '.join(others)}; ask for "
            f"{', '.join(OF_LINES)} alone, or take the real model as base"
        )
    source.checked()
    wanted = {row.document_id for row in read_splits(source.splits) if row.split is split}
    samples: list[TrainingSample] = []
    left_out = LeftOut()
    for batch in source.batches:
        for file in shard_files(batch.pairs):
            pairs = [pair for pair in pairs_from_table(read_table(file)) if pair.document_id in wanted]
            asked = [pair for pair in pairs if pair.task in tasks]
            for pair in pairs:
                if pair.task not in tasks:
                    left_out.add(f"task not asked for: {pair.task}", pair.id)
            if asked:
                pages = _pages(batch.images / file.name, {pair.document_id for pair in asked})
                samples += (
                    _lines(asked, pages, batch.key, left_out, most_lines)
                    if lines
                    else _regions(asked, pages, batch.key, spool)
                )
    return samples, left_out


def _pages(file: AnyPath, wanted: set[str]) -> dict[tuple[str, int], Page]:
    rows = read_table(file, ["document_id", "page", "image", "width", "height"]).to_pylist()
    return {
        (row["document_id"], row["page"]): Page(row["image"]["bytes"], row["width"], row["height"])
        for row in rows
        if row["document_id"] in wanted
    }


def _lines(
    pairs: Iterable[Pair], pages: dict[tuple[str, int], Page], batch: str, left_out: LeftOut, most: int | None
) -> list[TrainingSample]:
    opened: dict[tuple[str, int], Image.Image] = {}
    samples = []
    for pair in pairs:
        place = pair.document_id, pair.pages[0]
        if pair.box is None:
            raise UserError(f"{pair.id}: a line without its box; make the pairs again")
        if place not in opened:
            opened = {place: pages[place].open()}  # pairs come page by page
        region = crop(opened[place], pair.box)
        if pair.task is Task.OCR_LINE:
            samples.append(
                TrainingSample(pair.id, batch, pair.prompt, pair.response, (LineImage.of(region),), pair.spans)
            )
            continue
        strips, answers = find_lines(region).images(), _parted(pair)
        if len(strips) != len(answers):  # a text that wraps, or lines beside each other: it is unknown which is where
            left_out.add("other printed lines than the answer has", pair.id)
            continue
        parts = [
            TrainingSample(f"{pair.id}:{number}", batch, pair.prompt, answer, (LineImage.of(strip),), spans)
            for number, (strip, (answer, spans)) in enumerate(zip(strips, answers, strict=True))
        ]
        chosen = {one.id for one in sorted(parts, key=lambda one: sha256_of(one.id))[:most]}
        samples += [one for one in parts if one.id in chosen]
    return samples


def _parted(pair: Pair) -> list[tuple[str, tuple[Span, ...]]]:
    """Return the lines of a block's or a table's answer, each with its spans, as if it were asked for by itself.

    A row's end is part of the row; the end of a block's line is none of it.
    """
    end = END_OF_LINE[pair.task]
    answers = []
    start = 0
    for part in pair.response.removesuffix(end).split(end):
        text = part + end if pair.task is Task.TABLE else part
        stop = start + len(text)
        spans = tuple(
            span._replace(start=max(span.start, start) - start, end=min(span.end, stop) - start)
            for span in pair.spans
            if span.start < stop and start < span.end
        )
        answers.append((text, spans))
        start += len(part) + len(end)
    return answers


def _regions(
    pairs: Iterable[Pair], pages: dict[tuple[str, int], Page], batch: str, spool: Path
) -> list[TrainingSample]:
    spool.mkdir(parents=True, exist_ok=True)
    files = {}
    for (document, number), page in pages.items():
        files[document, number] = file = spool / f"{document}-{number}"
        file.write_bytes(page.image)
    return [
        TrainingSample(
            pair.id,
            batch,
            pair.prompt,
            pair.response,
            tuple(
                PageImage.of(
                    pages[pair.document_id, number], files[pair.document_id, number], pair.box, pair.patches_on(number)
                )
                for number in pair.pages
            ),
            pair.spans,
        )
        for pair in pairs
    ]
