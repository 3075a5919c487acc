"""Samples that an adapter learns: pairs of the manifest's documents, with their images.

What belongs here: which pairs of which split, and their images cut from the pages. Samples of single lines keep their
fitted images in memory; samples of pages and regions open them from files when their turn comes. A pair that is not
used is counted by reason.
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

REAL_BATCH = "real"  # batch of real documents' samples, and group of real documents of unknown vendors
_EXAMPLES_PER_REASON = 5
_LINE_ENDS = {Task.OCR_REGION: "\n", Task.TABLE: ROW_END}  # between the printed lines of a response
LINE_TASKS = (Task.OCR_LINE, *_LINE_ENDS)  # tasks that a base which reads single lines can learn

PageKey = tuple[str, int]
"""Document id, and number of the page from 0."""


class SampleImage(Protocol):
    """An image of a sample."""

    @property
    def width(self) -> int:
        """The width in pixels."""
        ...

    @property
    def height(self) -> int:
        """The height in pixels."""
        ...

    def open(self) -> Image.Image:
        """Return the pixels."""
        ...


@dataclass(frozen=True)
class LineImage:
    """A fitted line in memory: 28 rows of grey bytes."""

    pixels: bytes
    width: int
    height: int = LINE_HEIGHT

    @classmethod
    def of(cls, image: Image.Image) -> LineImage:
        """Fit the crop of a line."""
        fitted = fit_line(image)
        return cls(fitted.tobytes(), fitted.width)

    def open(self) -> Image.Image:
        """Return the line, in mode L."""
        return Image.frombytes("L", (self.width, self.height), self.pixels)


@dataclass(frozen=True)
class PageImage:
    """A page in a file with its patches applied, or a box of it."""

    file: Path
    width: int  # of the page, or of the box's crop
    height: int
    box: Box | None = None
    patches: tuple[Patch, ...] = ()

    @classmethod
    def of(cls, page: Page, file: Path, box: Box | None, patches: tuple[Patch, ...] = ()) -> PageImage:
        """Describe a page's image that is stored in a file."""
        if box is None:
            return cls(file, page.width, page.height, None, patches)
        cut = crop(Image.new("1", (page.width, page.height)), box)
        return cls(file, cut.width, cut.height, box, patches)

    def open(self) -> Image.Image:
        """Return the page or its crop, in mode RGB, or L if the page is grey."""
        page = apply_patches(Page(self.file.read_bytes(), self.width, self.height).open(), self.patches)
        return crop(page, self.box) if self.box else page


@dataclass(frozen=True)
class TrainingSample:
    """A pair to learn: images in order, prompt and expected response."""

    id: str
    batch: str  # key of the synthetic batch, or REAL_BATCH
    prompt: str
    response: str
    images: tuple[SampleImage, ...]
    spans: tuple[Span, ...] = ()  # of the response


@dataclass
class LeftOut:
    """Pairs that are not learnt, by reason."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)  # ids of the first pairs

    def add(self, reason: str, pair_id: str) -> None:
        """Count one pair."""
        self.counts[reason] += 1
        examples = self.examples.setdefault(reason, [])
        if len(examples) < _EXAMPLES_PER_REASON:
            examples.append(pair_id)

    def merge(self, other: LeftOut) -> None:
        """Add another's counts and examples."""
        self.counts.update(other.counts)
        for reason, ids in other.examples.items():
            self.examples[reason] = (self.examples.get(reason, []) + ids)[:_EXAMPLES_PER_REASON]


@dataclass(frozen=True)
class TrainingBatchFolders:
    """Folders of a synthetic batch's pairs and page images."""

    key: str
    pairs: AnyPath
    images: AnyPath


@dataclass(frozen=True)
class SampleSource:
    """A data set: the folder of its manifest and splits, and the folders of its batches, oldest first.

    Attributes:
        splits: folder of manifest and splits.
        batches: folders of the synthetic batches.
        real: workspaces of imported documents, of which those in their split `train` are learnt.
    """

    splits: AnyPath
    batches: tuple[TrainingBatchFolders, ...]
    real: tuple[AnyPath, ...] = ()

    def check_batches(self) -> None:
        """Compare the batches with those of the manifest.

        Raises:
            UserError: they are others, or in another order.
        """
        listed = [batch.key for batch in read_manifest(self.splits).batches]
        given = [batch.key for batch in self.batches]
        if listed != given:
            raise UserError(
                f"{self.splits}: the manifest lists the batches {listed}, but folders were given for "
                f"{given}; give each listed batch's folders, oldest first"
            )

    def data_version(self) -> str:
        """Return a hash of everything that samples are made from: the manifest and the page images' origin."""
        images = [read_fingerprint(file) for batch in self.batches for file in shard_files(batch.images)]
        real = [
            *(read_fingerprint(file) for workspace in self.real for file in shard_files(workspace / "images")),
            *sorted(document for documents in real_training_documents(self.real) for document in documents),
        ]
        return sha256_of("\n".join([read_manifest(self.splits).data_version(), *images, *real]))


def read_samples(
    source: SampleSource,
    split: Split,
    tasks: Sequence[Task],
    *,
    single_lines: bool,
    page_folder: Path,
    max_lines: int | None = None,
) -> tuple[list[TrainingSample], LeftOut]:
    """Read the samples of a split, in the order of batches and pairs.

    Args:
        source: the data set.
        split: whose documents are read.
        tasks: whose pairs are read; pairs of other tasks are counted as left out.
        single_lines: fit every image as one printed line, and cut blocks and tables into their lines.
        page_folder: folder that page images are written to, unless ``single_lines``; samples open them from there.
        max_lines: lines of each block or table, chosen by a hash of their ids; all if None.

    Returns:
        The samples, and the pairs that were left out.

    Raises:
        UserError: the batches are not the manifest's, or single lines are asked for with other tasks.
    """
    unsupported = [str(task) for task in tasks if task not in LINE_TASKS]
    if single_lines and unsupported:
        raise UserError(
            f"tasks: this base reads single printed lines and cannot learn {', '.join(unsupported)}; ask for "
            f"{', '.join(LINE_TASKS)} alone, or train on PaddleOCR-VL"
        )
    source.check_batches()
    documents = {row.document_id for row in read_splits(source.splits) if row.split is split}
    read = [(batch, documents) for batch in source.batches]
    if split is Split.TRAIN:
        folders = [TrainingBatchFolders(REAL_BATCH, place / "pairs", place / "images") for place in source.real]
        read += zip(folders, real_training_documents(source.real), strict=True)
    samples: list[TrainingSample] = []
    left_out = LeftOut()
    for batch, documents in read:
        for file in shard_files(batch.pairs):
            chosen = []
            for pair in pairs_from_table(read_table(file)):
                if pair.document_id not in documents:
                    continue
                if pair.task in tasks:
                    chosen.append(pair)
                else:
                    left_out.add(f"task not asked for: {pair.task}", pair.id)
            if chosen:
                pages = _read_pages(batch.images / file.name, {pair.document_id for pair in chosen})
                samples += (
                    _line_samples(chosen, pages, batch.key, left_out, max_lines)
                    if single_lines
                    else _page_samples(chosen, pages, batch.key, page_folder)
                )
    return samples, left_out


def real_training_documents(workspaces: Sequence[AnyPath]) -> list[set[str]]:
    """Return the documents of each workspace of real ones that are learnt.

    These are the ones in its split `train`, unless another workspace holds out a document of the same vendor.

    Raises:
        UserError: There is none in all workspaces.
    """
    rows = [read_splits(workspace / "splits") for workspace in workspaces]
    held_out = {row.group for found in rows for row in found if row.split is Split.REAL and row.group != REAL_BATCH}
    documents = [
        {row.document_id for row in found if row.split is Split.TRAIN and row.group not in held_out} for found in rows
    ]
    if workspaces and not any(documents):
        raise UserError(
            f"{', '.join(map(str, workspaces))}: no document is there to train on; import documents that "
            "`finscribe review-import` wrote, with --train"
        )
    return documents


def _read_pages(file: AnyPath, documents: set[str]) -> dict[PageKey, Page]:
    rows = read_table(file, ["document_id", "page", "image", "width", "height"]).to_pylist()
    return {
        (row["document_id"], row["page"]): Page(row["image"]["bytes"], row["width"], row["height"])
        for row in rows
        if row["document_id"] in documents
    }


def _line_samples(
    pairs: Iterable[Pair], pages: dict[PageKey, Page], batch: str, left_out: LeftOut, max_lines: int | None
) -> list[TrainingSample]:
    """Return a sample for each field's line, and up to ``max_lines`` of each block and table."""
    opened: dict[PageKey, Image.Image] = {}
    samples = []
    for pair in pairs:
        page = pair.document_id, pair.pages[0]
        if pair.box is None:
            raise UserError(f"{pair.id}: a line without a box; make the pairs again")
        if page not in opened:
            opened = {page: pages[page].open()}  # pairs come page by page
        region = crop(opened[page], pair.box)
        if pair.task is Task.OCR_LINE:
            samples.append(
                TrainingSample(pair.id, batch, pair.prompt, pair.response, (LineImage.of(region),), pair.spans)
            )
            continue
        strips, responses = find_lines(region).images(), _split_response(pair)
        # Where a text wraps, or lines stand beside each other, it is unknown which text is on which strip.
        if len(strips) != len(responses):
            left_out.add("other printed lines than the answer has", pair.id)
            continue
        lines = [
            TrainingSample(f"{pair.id}:{number}", batch, pair.prompt, response, (LineImage.of(strip),), spans)
            for number, (strip, (response, spans)) in enumerate(zip(strips, responses, strict=True))
        ]
        kept = {line.id for line in sorted(lines, key=lambda line: sha256_of(line.id))[:max_lines]}
        samples += [line for line in lines if line.id in kept]
    return samples


def _split_response(pair: Pair) -> list[tuple[str, tuple[Span, ...]]]:
    """Split the response of a block or table into its lines, each with its spans.

    The end of a table's row is part of the row; the line break after a block's line is not part of the line.
    """
    end = _LINE_ENDS[pair.task]
    lines = []
    start = 0
    for part in pair.response.removesuffix(end).split(end):
        text = part + end if pair.task is Task.TABLE else part
        stop = start + len(text)
        spans = tuple(
            span._replace(start=max(span.start, start) - start, end=min(span.end, stop) - start)
            for span in pair.spans
            if span.start < stop and start < span.end
        )
        lines.append((text, spans))
        start += len(part) + len(end)
    return lines


def _page_samples(pairs: Iterable[Pair], pages: dict[PageKey, Page], batch: str, folder: Path) -> list[TrainingSample]:
    """Write page images to a folder, and return a sample for each pair on them."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for (document, number), page in pages.items():
        files[document, number] = file = folder / f"{document}-{number}"
        file.write_bytes(page.image)
    samples = []
    for pair in pairs:
        keys = [(pair.document_id, number) for number in pair.pages]
        images = tuple(PageImage.of(pages[key], files[key], pair.box, pair.patches_on(key[1])) for key in keys)
        samples.append(TrainingSample(pair.id, batch, pair.prompt, pair.response, images, pair.spans))
    return samples
