"""Documents with their measures: of page images, of synthetic batches that are drawn for the purpose, and as tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from finscribe_assets.documents.document_batch import GENERATOR_VERSION
from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.plan import Plan
from finscribe_assets.files import AnyPath, sha256_of
from finscribe_assets.measuring.page_measures import mean_of_pages, measure_page
from finscribe_assets.rendering.page_batch import RENDERER_VERSION
from finscribe_assets.rendering.page_checks import RenderError
from finscribe_assets.rendering.pages import Page
from finscribe_assets.rendering.render import render
from finscribe_assets.rendering.system_packages import require_system
from finscribe_assets.shards import ShardPool, cut_into_shards, read_shards, write_missing_shards, write_shard
from finscribe_assets.stage_versions import MEASURES_VERSION

MEASURED_PAGES = 3  # of a document: further pages say the same
_SHARD_DOCUMENTS = 10
_TABLE_SCHEMA = pa.schema([("id", pa.string()), ("measures", pa.string()), ("drawn", pa.string())])


@dataclass(frozen=True)
class MeasuredDocument:
    """A document's measures, and what is known of how it was drawn.

    Attributes:
        id: of the document.
        measures: a number for each of `PAGE_MEASURES`.
        drawn: drawn values by name, as mining names them; empty for real documents.
    """

    id: str
    measures: Mapping[str, float]
    drawn: Mapping[str, float] = field(default_factory=dict)


def measure_pages(document_id: str, pages: Sequence[Page]) -> MeasuredDocument:
    """Measure the first pages of a document."""
    measured = [measure_page(np.asarray(page.open())) for page in pages[:MEASURED_PAGES]]
    return MeasuredDocument(document_id, mean_of_pages(measured))


def values_drawn_for(drawn: DrawnDocument) -> dict[str, float]:
    """Return everything that was drawn for a document's looks, by name; 1 for a choice such as ``font:Lato``."""
    look = drawn.presentation
    choices = {
        "type": drawn.document.document_type,
        "locale": drawn.document.locale,
        "font": look.font,
        "layout": look.layout,
        "engine": look.engine,
        "channel": look.channel,
        "colours": look.colours,
        "paper_level": look.paper_level,
        "ink_level": look.ink_level,
        "roll": look.style.roll,
    }
    known = {f"{name}:{choice}": 1.0 for name, choice in choices.items() if choice is not None}
    return {**drawn.knobs, **known, "font_size": look.font_size}


@dataclass(frozen=True)
class _MeasuringJob:
    plan: Plan
    first: int
    last: int
    dpi: int
    path: AnyPath

    @property
    def rows(self) -> int:
        return self.last - self.first

    @property
    def fingerprint(self) -> str:
        versions = f"{GENERATOR_VERSION}:{RENDERER_VERSION}:{MEASURES_VERSION}:{self.dpi}:{self.first}:{self.last}"
        return sha256_of(f"{versions}:{self.plan.model_dump_json()}")


def _measure(job: _MeasuringJob) -> int:
    rows = []
    for index in range(job.first, job.last):
        drawn = draw_document(job.plan, index)
        try:
            pages = render(drawn, job.dpi).pages
        except RenderError:  # `finscribe render` rejects such documents too, and reports them
            continue
        measures = measure_pages(drawn.id, pages).measures
        rows.append({"id": drawn.id, "measures": json.dumps(measures), "drawn": json.dumps(values_drawn_for(drawn))})
    write_shard(job.path, pa.Table.from_pylist(rows, schema=_TABLE_SCHEMA), job.fingerprint)
    return job.rows


def measure_plan(
    plan: Plan,
    folder: AnyPath,
    pool: ShardPool,
    *,
    dpi: int = 144,
    on_documents: Callable[[int], None] | None = None,
) -> list[MeasuredDocument]:
    """Draw, render and measure the documents of a plan; what the folder has of them already is kept.

    Args:
        plan: what to draw.
        folder: for the measures, as shards; pages are not stored.
        pool: runs the jobs.
        dpi: resolution of documents whose recipe determines none.
        on_documents: called with the number of documents that were finished.

    Raises:
        UserError: a font or system library is not installed; the message has the command that installs it.
    """
    require_system()
    jobs = [
        _MeasuringJob(plan, shard.start, shard.stop, dpi, folder / shard.file_name)
        for shard in cut_into_shards(plan.documents, _SHARD_DOCUMENTS)
    ]
    write_missing_shards(jobs, _measure, pool, folder, on_documents)
    return [
        MeasuredDocument(row["id"], json.loads(row["measures"]), json.loads(row["drawn"]))
        for table in read_shards(folder)
        for row in table.to_pylist()
    ]
