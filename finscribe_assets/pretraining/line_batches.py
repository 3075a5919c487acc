"""Batches of the pretraining: lines of one type and width, each batch a function of seed, phase and step."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset
from transformers import PreTrainedTokenizerFast

from finscribe_assets.model.architecture import MERGE_SIZE, PATCH_SIZE
from finscribe_assets.model.batched_forward import TokenBatch, tokenise
from finscribe_assets.model.line_images import LINE_HEIGHT, LineType, PrintedLine
from finscribe_assets.model.tokenizer import UNKNOWN_TOKEN
from finscribe_assets.pretraining.line_corpus import load_lines, prepare_lines
from finscribe_assets.pretraining.pretraining_config import PretrainConfig
from finscribe_assets.shards import ShardPool
from finscribe_assets.training.line_augmentation import augment_line

PATCH_ROWS = LINE_HEIGHT // PATCH_SIZE  # of a line's patch grid
FRAMES_PER_PATCH = 3  # glyph labels across the width of a patch
_MAX_SPELLING_WIDTH = 112  # pixels of the widest lines of the language phase
_MIN_COUNTED_WIDTH = 75  # pixels that narrower lines count as, or a batch would have too many of them
_MIN_BATCH_SIZE = 8
_SCORED_SEED_OFFSET = 500_000_003  # added to the seed for documents that are scored but not trained on


class WidthBuckets:
    """Lines of one type by width, from which batches of one width are drawn."""

    def __init__(self, lines: list[PrintedLine], batch_pixels: int) -> None:
        self.batch_pixels = batch_pixels
        self.by_width: dict[int, list[PrintedLine]] = {}
        for line in lines:
            self.by_width.setdefault(line.pixels.shape[1], []).append(line)

    def draw(self, random: Random, max_width: int | None = None) -> list[PrintedLine]:
        """Draw the lines of a batch, all of one width in pixels, which is at most ``max_width``."""
        widths = [width for width in sorted(self.by_width) if max_width is None or width <= max_width]
        # A batch of wide lines has fewer of them, so its width is drawn more often: every line is equally likely.
        width = random.choices(widths, [len(self.by_width[width]) * width for width in widths])[0]
        count = max(_MIN_BATCH_SIZE, self.batch_pixels // (LINE_HEIGHT * max(width, _MIN_COUNTED_WIDTH)))
        return random.choices(self.by_width[width], k=count)


class PretrainingLines:
    """The lines of a pretraining by type, prepared and read when a phase first needs them."""

    def __init__(self, config: PretrainConfig, work: Path, pool: ShardPool) -> None:
        self._config, self._work, self._pool = config, work, pool
        self._buckets: dict[LineType, WidthBuckets] = {}

    def _read(self, folder: str, source: str, documents: int, seed: int) -> list[PrintedLine]:
        prepare_lines(source, documents, seed, self._work / folder, self._pool)
        return load_lines(self._work / folder)

    def buckets(self, line_type: LineType) -> WidthBuckets:
        """Return the training lines of a type."""
        if line_type not in self._buckets:
            config = self._config
            source = "drawn" if line_type is LineType.DRAWN else "rendered"
            by_type: dict[LineType, list[PrintedLine]] = {}
            for line in self._read(source, source, getattr(config, f"{source}_documents"), config.seed):
                by_type.setdefault(line.line_type, []).append(line)
            self._buckets |= {key: WidthBuckets(lines, config.batch_pixels) for key, lines in by_type.items()}
        return self._buckets[line_type]

    @cached_property
    def scored(self) -> list[PrintedLine]:
        """Lines of documents that are not trained on."""
        config = self._config
        return self._read("scored", "rendered", config.scored_documents, config.seed + _SCORED_SEED_OFFSET)


@dataclass(frozen=True)
class LineBatch:
    """The lines of one step, all of one type and width."""

    line_type: LineType
    pixels: np.ndarray  # (lines, 28, width), uint8
    text: TokenBatch
    glyphs: Tensor | None  # (lines, frames): the glyph at each third of a column of patches, 0 for none


class LineBatches(Dataset[LineBatch]):
    """The batches of a phase by step. A batch does not depend on the process that makes it."""

    def __init__(
        self, config: PretrainConfig, phase: str, lines: PretrainingLines, tokenizer: PreTrainedTokenizerFast
    ) -> None:
        self._config, self._phase, self._tokenizer = config, phase, tokenizer
        self._vocabulary = tokenizer.get_vocab()
        # A base that is gone on from has lost the head that predicts glyphs.
        self._glyph_phases = () if config.start_from else ("vision", "joint")
        self._shares = {
            LineType.DRAWN: config.drawn_share,
            LineType.FIELD: config.field_share,
            LineType.BLOCK: config.block_share,
            LineType.ROW: config.row_share,
        }
        if phase == "vision":
            self._shares = {LineType.DRAWN: 1.0}  # only these have the position of every glyph
        if phase == "language":  # lines of the other types are rarely short
            self._shares = {line_type: self._shares[line_type] for line_type in (LineType.DRAWN, LineType.FIELD)}
        self._lines = {line_type: lines.buckets(line_type) for line_type, share in self._shares.items() if share}

    def __getitem__(self, step: int) -> LineBatch:
        """Return the batch of a step, counted from 0 within the phase."""
        random = Random(f"{self._config.seed}:{self._phase}:{step}")
        line_type = random.choices(list(self._shares), list(self._shares.values()))[0]
        lines = self._lines[line_type].draw(random, _MAX_SPELLING_WIDTH if self._phase == "language" else None)
        images = [line.pixels for line in lines]
        if line_type is not LineType.DRAWN:  # drawn lines vary already, and their glyphs must keep their positions
            strength = self._config.augmentation
            images = [np.asarray(augment_line(Image.fromarray(image), random, strength)) for image in images]
        columns = images[0].shape[1] // PATCH_SIZE
        texts = [line.text for line in lines]
        text = tokenise(self._tokenizer, line_type.prompt, texts, columns * PATCH_ROWS // MERGE_SIZE**2)
        has_glyphs = line_type is LineType.DRAWN and self._phase in self._glyph_phases
        return LineBatch(line_type, np.stack(images), text, self._glyphs(lines, columns) if has_glyphs else None)

    def _glyphs(self, lines: list[PrintedLine], columns: int) -> Tensor:
        """Return the token of the glyph in each frame: (lines, frames), one frame for each glyph at its centre."""
        frames = columns * FRAMES_PER_PATCH
        glyphs = np.zeros((len(lines), frames), dtype=np.int64)
        for row, line in enumerate(lines):
            frame = -1
            for character, centre in zip(line.text, line.centres, strict=True):
                if character != " ":
                    # Two glyphs in one frame: the second takes the next frame.
                    frame = min(max(int(centre * FRAMES_PER_PATCH / PATCH_SIZE), frame + 1), frames - 1)
                    glyphs[row, frame] = self._vocabulary.get(character, self._vocabulary[UNKNOWN_TOKEN])
        return torch.from_numpy(glyphs)
