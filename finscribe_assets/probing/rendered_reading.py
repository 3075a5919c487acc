"""Probed readers that are models: documents are rendered on worker processes and read as they come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.evaluation.prediction_files import Prediction
from finscribe_assets.inference.prediction import Mode, predict_documents
from finscribe_assets.inference.reader import Reader
from finscribe_assets.inference.region_layout import Region, RendererBoxes
from finscribe_assets.probing.readings import ReadingTask
from finscribe_assets.rendering.page_batch import RENDERER_VERSION
from finscribe_assets.rendering.pages import RenderedDocument
from finscribe_assets.rendering.render import render
from finscribe_assets.shards import ShardPool

FIELDS_PER_DOCUMENT = 24  # of a base that reads lines, one by one
DOCUMENTS_AT_ONCE = 20


@dataclass(frozen=True)
class _RenderJob:
    number: int
    documents: tuple[DrawnDocument, ...]
    dpi: int


def _render(job: _RenderJob) -> tuple[int, list[RenderedDocument]]:
    return job.number, [render(drawn, job.dpi) for drawn in job.documents]


@dataclass(frozen=True)
class _SampledBoxes:
    """The renderer's boxes of the fields that are asked for."""

    fields: dict[str, frozenset[str]]  # by document id
    name: str = RendererBoxes.name
    margin: int = RendererBoxes.margin
    of_lines: bool = RendererBoxes.of_lines

    def regions(self, document: RenderedDocument) -> list[Region]:
        """Return the boxes of a document's fields that are asked for."""
        return [one for one in RendererBoxes().regions(document) if one.path in self.fields[document.id]]


class RenderedReader:
    """A base, with or without an adapter, that reads the rendered pages of drawn documents."""

    def __init__(self, reader: Reader, pool: ShardPool, dpi: int = 144) -> None:
        """Take a model and where documents are rendered; what is read does not depend on the pool."""
        self.reader, self.pool, self.dpi = reader, pool, dpi
        self.mode = Mode.REGIONS if reader.reads_lines else Mode.PAGE

    @property
    def identity(self) -> str:
        """Return the reader's identity, with that of the pages it is shown."""
        return f"{self.reader.identity}:{RENDERER_VERSION}:{self.dpi}"

    @property
    def fields_per_document(self) -> int | None:
        """Return FIELDS_PER_DOCUMENT for a base that reads lines; None for one that reads whole pages."""
        return FIELDS_PER_DOCUMENT if self.reader.reads_lines else None

    def read(self, tasks: Sequence[ReadingTask]) -> list[Prediction]:
        """Render and read documents; the predictions are in the tasks' order."""
        # Ids tell documents of one number apart, which differ in their setting alone.
        named = [task.document.model_copy(update={"id": f"{number:05d}"}) for number, task in enumerate(tasks)]
        fields = {f"{number:05d}": frozenset(task.fields) for number, task in enumerate(tasks)}
        layout = _SampledBoxes(fields)
        predictions = []
        for documents in self._rendered(named):
            records = predict_documents(self.reader, documents, self.mode, layout)
            predictions += [Prediction(one["id"], one["response"], one["confidence"]) for one in records]
        return predictions

    def _rendered(self, documents: Sequence[DrawnDocument]) -> Iterator[list[RenderedDocument]]:
        """Yield rendered documents in their order, some at a time: batches decide last digits of probabilities."""
        jobs = [
            _RenderJob(number, tuple(documents[start : start + DOCUMENTS_AT_ONCE]), self.dpi)
            for number, start in enumerate(range(0, len(documents), DOCUMENTS_AT_ONCE))
        ]
        waiting: dict[int, list[RenderedDocument]] = {}
        due = 0
        for number, rendered in self.pool.run(_render, jobs):
            waiting[number] = rendered
            while due in waiting:
                yield waiting.pop(due)
                due += 1
