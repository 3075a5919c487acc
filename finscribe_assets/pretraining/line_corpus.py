"""The corpus of the pretraining: lines drawn directly with the position of every glyph, and lines of rendered pages.

What belongs here: how lines are drawn, which lines of a document are trained on, and their files. How lines are cut
from pages is in `line_cutting`.
"""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from random import Random

import numpy as np
import pyarrow as pa
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.plan import Plan, seed_plan
from finscribe_assets.errors import UserError
from finscribe_assets.files import AnyPath, sha256_of
from finscribe_assets.model.line_images import LINE_HEIGHT, LineType, PrintedLine, fit_line
from finscribe_assets.model.tokenizer import TOKENIZER_CHARACTERS
from finscribe_assets.pretraining.base_recipe import BASE_RECIPE
from finscribe_assets.pretraining.line_cutting import LineCutter, with_plain_spaces
from finscribe_assets.rendering.page_checks import RenderError
from finscribe_assets.rendering.render import render
from finscribe_assets.shards import Shard, ShardPool, cut_into_shards, read_shards, write_missing_shards, write_shard

logger = logging.getLogger(__name__)

LINES_VERSION = 2  # raise it with every change that changes lines
# Lines of a document that are trained on, at most: more documents teach more than more lines of one.
MAX_LINES_PER_DOCUMENT = {LineType.FIELD: 32, LineType.BLOCK: 14, LineType.ROW: 14}
# Characters of a line that is trained on, at most; OTSL's tokens count as they are written.
MAX_LINE_CHARACTERS = {LineType.FIELD: 60, LineType.BLOCK: 80, LineType.ROW: 260}
_MAX_DRAWN_CHARACTERS = 44
_DRAWN_LINES_PER_DOCUMENT = 24
_RANDOM_TEXT_SHARE = 0.3  # of drawn lines: random characters, so that reading does not rely on what is likely
_CONFUSABLE_CHARACTERS = "0123456789.,-/OISBZ"
_DOCUMENTS_PER_SHARD = 50

_LINES_SCHEMA = pa.schema(
    [
        ("pixels", pa.binary()),
        ("width", pa.int32()),
        ("text", pa.string()),
        ("kind", pa.string()),
        ("element", pa.string()),
        ("centres", pa.list_(pa.float32())),
    ]
)


@cache
def _font_file(family: str, bold: bool) -> str:
    """Return the file of a font family.

    Raises:
        UserError: the family is not installed; fontconfig would give another one in its place.
    """
    pattern = f"{family}:bold" if bold else family
    command = ["fc-match", "-f", "%{family}\n%{file}", pattern]
    families, file = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\n")  # noqa: S603
    if family not in families.split(","):
        raise UserError(f"font {family!r} is not installed (fontconfig offers {families!r} instead); run scripts/setup")
    return file


@cache
def _font(family: str, bold: bool, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(_font_file(family, bold), size)


def draw_line(random: Random, text: str) -> PrintedLine:
    """Draw a text in a random font, size and grey, with light damage."""
    family = random.choice([font for font, weight in BASE_RECIPE.fonts.items() if weight])
    font = _font(family, random.random() < 0.2, random.randint(17, 23))
    left = random.randint(1, 5)
    x0, _, x1, _ = font.getbbox(text)
    ink, paper = random.randint(0, 70), random.randint(228, 255)
    image = Image.new("L", (round(x1 - min(x0, 0)) + left + random.randint(1, 6), LINE_HEIGHT), paper)
    ascent, descent = font.getmetrics()
    top = (LINE_HEIGHT - ascent - descent) // 2 + random.randint(-1, 1)
    ImageDraw.Draw(image).text((left, top), text, fill=ink, font=font)
    edges = [left + font.getlength(text[:end]) for end in range(len(text) + 1)]
    if random.random() < 0.3:
        image = image.filter(ImageFilter.GaussianBlur(random.uniform(0.2, 0.9)))
    if random.random() < 0.4:  # as if scanned at a lower resolution
        factor = random.uniform(0.6, 0.9)
        size = (max(1, round(image.width * factor)), round(LINE_HEIGHT * factor))
        small = image.resize(size, Image.Resampling.BILINEAR)
        image = small.resize(image.size, Image.Resampling.BILINEAR)
    pixels = np.asarray(fit_line(image), dtype=np.int16)
    if random.random() < 0.4:
        noise = np.random.default_rng(random.getrandbits(32)).standard_normal(pixels.shape) * random.uniform(1, 9)
        pixels = pixels + noise.astype(np.int16)
    centres = tuple((start + end) / 2 for start, end in pairwise(edges))
    return PrintedLine(np.clip(pixels, 0, 255).astype(np.uint8), text, LineType.DRAWN, centres=centres)


def _drawn_texts(random: Random, plan: Plan, index: int) -> list[str]:
    """Return texts to draw: random characters, and parts of what a document prints."""
    values = [with_plain_spaces(text) for text in draw_document(plan, index).printed.values()]
    texts = []
    for _ in range(_DRAWN_LINES_PER_DOCUMENT):
        if random.random() < _RANDOM_TEXT_SHARE:
            visible = TOKENIZER_CHARACTERS.replace("\n", "").replace(" ", "")
            alphabet = visible if random.random() < 0.5 else _CONFUSABLE_CHARACTERS
            texts.append("".join(random.choice(alphabet) for _ in range(random.randint(1, 12))))
        else:
            value = random.choice(values)
            length = random.randint(2, _MAX_DRAWN_CHARACTERS)
            start = random.randint(0, max(0, len(value) - length))
            texts.append(value[start : start + length].strip() or "0")
    return texts


def drawn_lines(plan: Plan, index: int) -> list[PrintedLine]:
    """Draw lines with the texts of a plan's document."""
    random = Random(f"lines:{plan.seed}:{index}")
    return [draw_line(random, text) for text in _drawn_texts(random, plan, index)]


def line_cutter(plan: Plan, index: int) -> LineCutter:
    """Draw and render a plan's document, to be cut into lines."""
    drawn = draw_document(plan, index)
    return LineCutter(render(drawn), drawn.presentation.font)


def rendered_lines(plan: Plan, index: int) -> list[PrintedLine]:
    """Return the lines of a rendered document that are trained on: some of its fields, blocks and table rows.

    A document whose pages do not show what it contains gives none.
    """
    try:
        cutter = line_cutter(plan, index)
    except RenderError as error:
        logger.warning("no lines of a rejected document: %s", error)
        return []
    rows = [line for table in cutter.tables() for line in table.rows()]
    random = Random(f"rendered:{plan.seed}:{index}")
    chosen = []
    for lines in (list(cutter.field_lines()), list(cutter.block_lines()), rows):
        short = [line for line in lines if len(line.text) <= MAX_LINE_CHARACTERS[line.line_type]]
        if short:
            chosen += random.sample(short, min(len(short), MAX_LINES_PER_DOCUMENT[lines[0].line_type]))
    return chosen


LINE_SOURCES: dict[str, Callable[[Plan, int], list[PrintedLine]]] = {"drawn": drawn_lines, "rendered": rendered_lines}


@dataclass(frozen=True)
class _LineJob:
    """A shard of lines that is to be written."""

    source: str
    plan: Plan
    shard: Shard
    path: AnyPath

    @property
    def rows(self) -> int:
        return self.shard.stop - self.shard.start

    @property
    def fingerprint(self) -> str:
        return sha256_of(f"{LINES_VERSION}:{self.source}:{self.shard}:{self.plan.model_dump_json()}")


def _write_job(job: _LineJob) -> int:
    make_lines = LINE_SOURCES[job.source]
    lines = [line for index in range(job.shard.start, job.shard.stop) for line in make_lines(job.plan, index)]
    table = pa.Table.from_pylist(
        [
            {
                "pixels": line.pixels.tobytes(),
                "width": line.pixels.shape[1],
                "text": line.text,
                "kind": line.line_type,
                "element": line.element,
                "centres": list(line.centres),
            }
            for line in lines
        ],
        schema=_LINES_SCHEMA,
    )
    write_shard(job.path, table, job.fingerprint)
    return job.shard.stop - job.shard.start


def prepare_lines(
    source: str,
    documents: int,
    seed: int,
    folder: AnyPath,
    pool: ShardPool,
    *,
    on_shard: Callable[[int], None] | None = None,
) -> None:
    """Write lines as Parquet shards; shards that are there already are kept.

    Args:
        source: a key of LINE_SOURCES.
        documents: number of documents of the base recipe whose lines are written.
        seed: of the documents.
        folder: of the shards.
        pool: runs the shards.
        on_shard: called with the number of documents of each finished shard.
    """
    plan = seed_plan("batch-000", documents, seed, BASE_RECIPE)
    shards = cut_into_shards(documents, _DOCUMENTS_PER_SHARD)
    jobs = [_LineJob(source, plan, shard, folder / shard.file_name) for shard in shards]
    write_missing_shards(jobs, _write_job, pool, folder, on_shard)


def load_lines(folder: AnyPath) -> list[PrintedLine]:
    """Read prepared lines into memory."""
    lines = []
    for table in read_shards(folder):
        for row in table.to_pylist():
            pixels = np.frombuffer(row["pixels"], dtype=np.uint8).reshape(LINE_HEIGHT, row["width"])
            lines.append(PrintedLine(pixels, row["text"], LineType(row["kind"]), row["element"], tuple(row["centres"])))
    return lines
