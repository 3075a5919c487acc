"""Pairs of a data set → samples that a model is trained on: an image, a prompt and an answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from PIL import Image

from finscribe_assets.files import AnyPath, read_table
from finscribe_assets.instructions.crops import crop
from finscribe_assets.instructions.pair import Pair
from finscribe_assets.instructions.pair import from_table as pairs_from_table
from finscribe_assets.rendering.pages import Page
from finscribe_assets.rendering.pages import from_table as pages_from_table
from finscribe_assets.shards import shard_files
from finscribe_assets.splitting.assign import Split
from finscribe_assets.splitting.manifest import SplitRow
from finscribe_assets.training.configuration import AdapterConfig
from finscribe_assets.training.images import fit_line


@dataclass(frozen=True)
class BatchData:
    """Where a batch's pairs and pages lie."""

    key: str
    pairs: AnyPath
    images: AnyPath


@dataclass(frozen=True)
class Sample:
    """One thing to learn. The images are as the model is shown them."""

    id: str
    images: tuple[Image.Image, ...]
    prompt: str
    answer: str

    @property
    def size(self) -> int:
        """Return the pixels of the images; samples of like size share a batch."""
        return sum(image.width * image.height for image in self.images)


@dataclass
class SampleSet:
    """Samples of one split, and how many pairs were left out for which reason."""

    samples: list[Sample] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def collect(batches: Sequence[BatchData], splits: Sequence[SplitRow], split: Split, config: AdapterConfig,
            limit: int | None = None) -> SampleSet:  # fmt: skip
    """Gather the samples of one split over batches, oldest first.

    The newest batch gives all of its samples; earlier ones give as many as the replay share asks for, and at most
    ``limit`` are kept of all; which ones follows from the seed.
    """
    wanted = {row.document_id for row in splits if row.split is split}
    found = SampleSet()
    earlier: list[Sample] = []
    newest: list[Sample] = []
    for batch in batches:
        samples = _of_batch(batch, wanted, config, found.left_out)
        (newest if batch is batches[-1] else earlier).extend(samples)
    random = Random(f"replay:{config.seed}:{batches[-1].key}")
    room = round(len(newest) * config.replay / (1 - config.replay))
    if len(earlier) > room:
        found.left_out["earlier batch, beyond the replay share"] += len(earlier) - room
        earlier = random.sample(earlier, room)
    samples = earlier + newest
    if limit is not None and len(samples) > limit:
        samples = random.sample(samples, limit)
    found.samples = samples
    return found


def _of_batch(batch: BatchData, wanted: set[str], config: AdapterConfig, left_out: Counter[str]) -> list[Sample]:
    samples = []
    for file in shard_files(batch.pairs):
        pairs = [pair for pair in pairs_from_table(read_table(file)) if pair.document_id in wanted]
        asked = [pair for pair in pairs if pair.task in config.tasks]
        left_out.update(f"task {pair.task} is not trained" for pair in pairs if pair.task not in config.tasks)
        if asked:
            pages = {rendered.id: rendered.pages for rendered in pages_from_table(read_table(batch.images / file.name))}
            samples += _samples(asked, pages, config)
    return samples


def _samples(pairs: Sequence[Pair], pages: Mapping[str, tuple[Page, ...]], config: AdapterConfig) -> list[Sample]:
    opened: dict[tuple[str, int], Image.Image] = {}
    samples = []
    for pair in pairs:
        for number in pair.pages:
            if (pair.document_id, number) not in opened:
                opened[pair.document_id, number] = pages[pair.document_id][number].open()
        images = tuple(opened[pair.document_id, number] for number in pair.pages)
        if pair.box:
            images = (crop(images[0], pair.box),)
        if config.reading == "lines":
            images = tuple(fit_line(image) for image in images)
        samples.append(Sample(pair.id, images, pair.prompt, pair.response))
    return samples
