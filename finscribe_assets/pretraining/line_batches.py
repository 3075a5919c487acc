"""What the pretraining's steps learn from: batches of lines of one kind and width, each a function of seed and step."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset
from transformers import PreTrainedTokenizerFast

from finscribe_assets.model.architecture import MERGE_SIZE, PATCH_SIZE
from finscribe_assets.model.batched_forward import TokenBatch, tokenise
from finscribe_assets.model.line_images import LINE_HEIGHT, LineType, PrintedLine
from finscribe_assets.model.tokenizer import UNKNOWN_TOKEN
from finscribe_assets.pretraining import line_corpus as printed
from finscribe_assets.pretraining.pretraining_config import PretrainConfig
from finscribe_assets.shards import ShardPool
from finscribe_assets.training.line_augmentation import augment_line

GRID_ROWS = LINE_HEIGHT // PATCH_SIZE
FRAMES_A_PATCH = 3  # glyph labels across a patch of 14 pixels
SHORT = 112  # pixels of the widest lines of the language phase
NARROW = 75  # pixels that a narrower line counts as, or a batch would hold too many
VALIDATION_SEED_OFFSET = 500_000_003  # added to the seed for the documents that the running scores are from


class Buckets:
    """Lines of one kind by width, from which a step draws a batch of one width."""

    def __init__(self, lines: list[PrintedLine], batch_pixels: int) -> None:
        self.batch_pixels = batch_pixels
        self.by_width: dict[int, list[PrintedLine]] = {}
        for line in lines:
            self.by_width.setdefault(line.pixels.shape[1], []).append(line)

    def draw(self, random: Random, max_width: int | None = None) -> list[PrintedLine]:
        """Return a batch's lines, of one width of at most so many pixels."""
        widths = [width for width in sorted(self.by_width) if max_width is None or width <= max_width]
        # Each line is as likely as any other: a width is drawn by how many batches its lines fill.
        width = random.choices(widths, [len(self.by_width[width]) * width for width in widths])[0]
        count = max(8, self.batch_pixels // (LINE_HEIGHT * max(width, NARROW)))
        return random.choices(self.by_width[width], k=count)


class LinesByKind:
    """The lines of a run, by kind, prepared and read when a phase first asks for them."""

    def __init__(self, config: PretrainConfig, work: Path, pool: ShardPool) -> None:
        self._config, self._work, self._pool = config, work, pool
        self._buckets: dict[LineType, Buckets] = {}

    def _read(self, name: str, source: str, documents: int, seed: int) -> list[PrintedLine]:
        printed.prepare(source, documents, seed, self._work / name, self._pool)
        return printed.load(self._work / name)

    def of(self, kind: LineType) -> Buckets:
        """Return the lines of a kind to learn from."""
        if kind not in self._buckets:
            config = self._config
            source = "drawn" if kind is LineType.DRAWN else "rendered"
            lines: dict[LineType, list[PrintedLine]] = {}
            for line in self._read(source, source, getattr(config, f"{source}_documents"), config.seed):
                lines.setdefault(line.line_type, []).append(line)
            self._buckets |= {kind: Buckets(found, config.batch_pixels) for kind, found in lines.items()}
        return self._buckets[kind]

    @cached_property
    def scored(self) -> list[PrintedLine]:
        """Return lines of documents that are not trained on."""
        config = self._config
        return self._read("scored", "rendered", config.scored_documents, config.seed + VALIDATION_SEED_OFFSET)


@dataclass(frozen=True)
class LineBatch:
    """What a step learns from: lines of one kind and width."""

    kind: LineType
    pixels: np.ndarray  # lines × 28 × width, uint8
    text: TokenBatch
    glyphs: torch.Tensor | None  # lines × frames; the glyph of each third of a column of patches, 0 for none


class LineBatches(Dataset[LineBatch]):
    """A phase's batches by step: a function of seed, phase and step, whichever process makes them."""

    def __init__(
        self, config: PretrainConfig, phase: str, lines: LinesByKind, tokenizer: PreTrainedTokenizerFast
    ) -> None:
        self._config, self._phase, self._tokenizer = config, phase, tokenizer
        self._vocabulary = tokenizer.get_vocab()
        self._shares = {
            LineType.DRAWN: config.drawn_share,
            LineType.FIELD: config.field_share,
            LineType.BLOCK: config.block_share,
            LineType.ROW: config.row_share,
        }
        if phase == "vision":
            self._shares = {LineType.DRAWN: 1.0}  # alone has the place of every glyph
        if phase == "language":  # others are hardly ever short
            self._shares = {kind: self._shares[kind] for kind in (LineType.DRAWN, LineType.FIELD)}
        self._lines = {kind: lines.of(kind) for kind, share in self._shares.items() if share}

    def __getitem__(self, step: int) -> LineBatch:
        """Return the batch of a step of the phase."""
        random = Random(f"{self._config.seed}:{self._phase}:{step}")
        kind = random.choices(list(self._shares), list(self._shares.values()))[0]
        drawn = self._lines[kind].draw(random, SHORT if self._phase == "language" else None)
        images = [line.pixels for line in drawn]
        if kind is not LineType.DRAWN:  # drawn lines are of all sorts as they are, and their glyphs must stay in place
            strength = self._config.augmentation
            images = [np.asarray(augment_line(Image.fromarray(image), random, strength)) for image in images]
        columns = images[0].shape[1] // PATCH_SIZE
        answers = [line.text for line in drawn]
        text = tokenise(self._tokenizer, kind.prompt, answers, columns * GRID_ROWS // MERGE_SIZE**2)
        glyphs = kind is LineType.DRAWN and self._phase != "language"
        return LineBatch(kind, np.stack(images), text, self._glyphs(drawn, columns) if glyphs else None)

    def _glyphs(self, lines: list[PrintedLine], columns: int) -> torch.Tensor:
        frames = columns * FRAMES_A_PATCH
        targets = np.zeros((len(lines), frames), dtype=np.int64)
        for row, line in enumerate(lines):
            last = -1
            for character, centre in zip(line.text, line.centres, strict=True):
                if character != " ":
                    last = min(max(int(centre * FRAMES_A_PATCH / PATCH_SIZE), last + 1), frames - 1)
                    targets[row, last] = self._vocabulary.get(character, self._vocabulary[UNKNOWN_TOKEN])
        return torch.from_numpy(targets)
