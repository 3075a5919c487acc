"""Probed readers that are models: documents are rendered on worker processes and read as they come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.page_evidence import determined_values
from finscribe_assets.evaluation.field_comparison import align_rows
from finscribe_assets.evaluation.prediction_files import Prediction, Truth
from finscribe_assets.evaluation.response_parsing import parse_response
from finscribe_assets.evaluation.user_keys import map_predictions, truth_in_fields
from finscribe_assets.inference.currency_reading import POST_CODE, find_currencies
from finscribe_assets.inference.image_reader import ImageReader, ReadRequest
from finscribe_assets.inference.prediction import Mode, predict_documents
from finscribe_assets.inference.region_layout import RendererBoxes
from finscribe_assets.instructions.crops import crop
from finscribe_assets.instructions.pair import OCR_PROMPT
from finscribe_assets.instructions.prompt_wordings import full_extraction_prompt
from finscribe_assets.instructions.response_keys import structure_of
from finscribe_assets.model.decoded_text import DecodedText, geometric_mean, joint_probabilities, lowest_confidence
from finscribe_assets.probing.readings import FieldPredictions, ReadingTask
from finscribe_assets.rendering.page_batch import RENDERER_VERSION
from finscribe_assets.rendering.pages import MarkType, RenderedDocument
from finscribe_assets.rendering.render import render
from finscribe_assets.schema_mapping.mapping import SchemaMapping, is_custom
from finscribe_assets.shards import ShardPool

CURRENCY = "currency_code"
FIELDS_PER_DOCUMENT = 24  # of a base that reads lines, one by one
DOCUMENTS_AT_ONCE = 10


@dataclass(frozen=True)
class _ProbeRenderJob:
    number: int
    documents: tuple[DrawnDocument, ...]
    dpi: int


def _render(job: _ProbeRenderJob) -> tuple[int, list[RenderedDocument]]:
    return job.number, [render(drawn, job.dpi) for drawn in job.documents]


class RenderedReader:
    """A base, with or without an adapter, that reads the rendered pages of drawn documents."""

    def __init__(
        self, reader: ImageReader, pool: ShardPool, dpi: int = 144, mapping: SchemaMapping | None = None
    ) -> None:
        """Take a model and where documents are rendered; what is read does not depend on the pool.

        Args:
            reader: The model.
            pool: Where documents are rendered.
            dpi: Resolution of the pages.
            mapping: Of the user's keys that a model of whole pages is asked for; only fields that have one count.
        """
        self.reader, self.pool, self.dpi = reader, pool, dpi
        self.mapping = None if reader.reads_lines else mapping

    @property
    def identity(self) -> str:
        """Return the reader's identity, with that of the pages it is shown."""
        keys = f":{self.mapping.content_hash}" if self.mapping else ""
        return f"{self.reader.identity}:{RENDERER_VERSION}:{self.dpi}{keys}"

    @property
    def fields_per_document(self) -> int | None:
        """Return FIELDS_PER_DOCUMENT for a base that reads lines; None for one that reads whole pages."""
        return FIELDS_PER_DOCUMENT if self.reader.reads_lines else None

    def read(self, tasks: Sequence[ReadingTask]) -> list[FieldPredictions]:
        """Render and read documents; the predictions are in the tasks' order."""
        predictions: list[FieldPredictions] = []
        for documents in self.rendered([task.document for task in tasks]):
            predictions += self.read_rendered(tasks[len(predictions) : len(predictions) + len(documents)], documents)
        return predictions

    def read_rendered(
        self, tasks: Sequence[ReadingTask], documents: Sequence[RenderedDocument]
    ) -> list[FieldPredictions]:
        """Read documents that have been rendered; the predictions are in the tasks' order."""
        return self._read_lines(tasks, documents) if self.reader.reads_lines else self._read_pages(tasks, documents)

    def _read_lines(
        self, tasks: Sequence[ReadingTask], documents: Sequence[RenderedDocument]
    ) -> list[FieldPredictions]:
        """Read the printed lines of the fields that count, at the renderer's boxes; derive the currency from others."""
        places, requests = [], []
        for index, (task, document) in enumerate(zip(tasks, documents, strict=True)):
            wanted = {*task.fields, *_currency_sources(task)}
            marks = [mark for mark in document.of_type(MarkType.FIELD) if mark.name in wanted]
            pages = {
                page: document.pages[page].open() for page in {part.page for mark in marks for part in mark.fragments}
            }
            for mark in marks:
                for part in mark.fragments:
                    places.append((index, mark.name))
                    requests.append(ReadRequest((crop(pages[part.page], part.box),), OCR_PROMPT))
        lines: list[dict[str, list[DecodedText]]] = [{} for _ in tasks]
        for (index, path), line in zip(places, self.reader.read(requests), strict=True):
            lines[index].setdefault(path, []).append(line)
        return [_predictions(task, fields) for task, fields in zip(tasks, lines, strict=True)]

    def _read_pages(
        self, tasks: Sequence[ReadingTask], documents: Sequence[RenderedDocument]
    ) -> list[FieldPredictions]:
        """Read whole pages, and bring the predicted rows to the positions of the true ones."""
        prompt = full_extraction_prompt(structure_of(self.mapping)) if self.mapping else ""
        records = predict_documents(self.reader, documents, Mode.PAGE, RendererBoxes(), prompt)
        predictions = []
        for task, record in zip(tasks, records, strict=True):
            drawn = task.document
            truth = Truth(drawn.id, drawn.document.to_json(), frozenset(drawn.printed))
            read = Prediction(drawn.id, record["response"], record["confidence"])
            not_asked = frozenset[str]()
            if self.mapping:
                truth = truth_in_fields(truth, self.mapping)
                read = map_predictions({drawn.id: read}, {drawn.id: truth}, self.mapping)[0][drawn.id]
                not_asked = frozenset(path for path in task.fields if self.mapping.key_at(path) is None)
            document = (read.parsed or parse_response(read.response)).document
            # Values that are joined, or have no field in the schema, are not among those that tasks ask for.
            leaves = {path: value for path, value in align_rows(truth, document).items() if not is_custom(path)}
            values = {path: None if value is None else str(value) for path, value in leaves.items()}
            predictions.append(FieldPredictions(values, read.confidence, not_asked))
        return predictions

    def rendered(self, documents: Sequence[DrawnDocument]) -> Iterator[list[RenderedDocument]]:
        """Yield rendered documents in their order, some at a time.

        The last digits of probabilities depend on which lines are read together, so that must not depend on the pool.
        """
        jobs = [
            _ProbeRenderJob(number, tuple(documents[start : start + DOCUMENTS_AT_ONCE]), self.dpi)
            for number, start in enumerate(range(0, len(documents), DOCUMENTS_AT_ONCE))
        ]
        waiting: dict[int, list[RenderedDocument]] = {}
        due = 0
        for number, rendered in self.pool.run(_render, jobs):
            waiting[number] = rendered
            while due in waiting:
                yield waiting.pop(due)
                due += 1


def _currency_sources(task: ReadingTask) -> set[str]:
    """Return the printed fields that a reader of lines derives the currency from, if it counts."""
    if CURRENCY not in task.fields:
        return set()
    drawn = task.document
    amounts = [evidence[0] for evidence in determined_values(drawn, drawn.printed.keys()).get(CURRENCY, [])]
    return {*amounts[:1], POST_CODE} & drawn.printed.keys()


def _predictions(task: ReadingTask, lines: dict[str, list[DecodedText]]) -> FieldPredictions:
    """Return the predictions for one document from the lines that were read of each field."""
    values = {path: " ".join(line.text for line in some if line.text) or None for path, some in lines.items()}
    confidence = {
        path: geometric_mean(joint) for path, some in lines.items() if (joint := joint_probabilities(some)) is not None
    }
    currency = find_currencies(values).get(CURRENCY) if CURRENCY in task.fields else None
    if currency:
        values[CURRENCY] = currency.code
        known = lowest_confidence(confidence.get(path) for path in currency.sources)
        confidence |= {} if known is None else {CURRENCY: known}
    return FieldPredictions(values, confidence)
