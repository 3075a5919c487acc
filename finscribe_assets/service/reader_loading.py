"""Load the reader that the service is asked for: a model in this process, one on a server, or the OCR engine."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from finscribe_assets.service.document_reading import ReadBy
from finscribe_assets.service.reader_in_use import AdapterChoice, LoadedModel, LoadModel

if TYPE_CHECKING:
    import numpy as np

    from finscribe_assets.inference.image_reader import ImageReader
    from finscribe_assets.inference.server_settings import ServerSettings
    from finscribe_assets.ocr.line_protocols import LineFinder
    from finscribe_assets.rendering.pages import Box
    from finscribe_assets.schema_mapping.mapping import SchemaMapping


@dataclass
class SharedFinder:
    """A line finder that several threads use, one after the other; implements `line_protocols.LineFinder`."""

    finder: LineFinder
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, page: np.ndarray) -> list[Box]:
        """Find the printed lines of a page."""
        with self._lock:
            return self.finder.find(page)


def load_here(base: str | None, threads: int, mapping: SchemaMapping | None = None) -> LoadModel:
    """Return a function that loads a model into this process, or the OCR engine where neither is named.

    Args:
        base: Name or folder of the base; that of the adapter's training record unless given.
        threads: CPU threads of the model and of the text detector.
        mapping: The user's keys that records are in.
    """

    def load(choice: AdapterChoice) -> LoadedModel:
        if base is None and choice.folder is None:
            from finscribe_assets.inference.ocr_reader import OcrReader

            engine = OcrReader(threads)
            return _model_of(engine, _read_by(engine, engine.name), mapping)
        from finscribe_assets.inference.reader import Reader
        from finscribe_assets.model.adapters import adapter_record

        name = base or str(adapter_record(choice.folder)["config"]["base"])
        reader = Reader(name, choice.folder, threads=threads)
        return _model_of(reader, _read_by(reader, reader.base.name, choice.batch), mapping)

    return load


def load_server(settings: ServerSettings, threads: int, mapping: SchemaMapping | None = None) -> LoadModel:
    """Return a function that connects to a model on an OpenAI-compatible server.

    Documents are read at the same time, as many as there are workers: the server batches their requests.

    Args:
        settings: The server, and how it is asked.
        threads: CPU threads of the text detector.
        mapping: The user's keys that records are in.
    """

    def load(_: AdapterChoice) -> LoadedModel:
        from finscribe_assets.inference.server_reader import ServerReader

        reader = ServerReader(settings, threads)
        return replace(
            _model_of(reader, _read_by(reader, reader.name), mapping),
            one_at_a_time=False,
            is_on_server=True,
            server_root=reader.model.root or None,
        )

    return load


def _read_by(reader: ImageReader, base: str, batch: str | None = None) -> ReadBy:
    record = reader.record
    return ReadBy(base=base, base_content=record["base_content"], adapter=record["adapter"], batch=batch)


def _model_of(reader: ImageReader, read_by: ReadBy, mapping: SchemaMapping | None) -> LoadedModel:
    from finscribe_assets.inference.extraction import Extractor
    from finscribe_assets.inference.region_layout import DetectedLines
    from finscribe_assets.instructions.prompt_wordings import full_extraction_prompt
    from finscribe_assets.instructions.response_keys import structure_of
    from finscribe_assets.ocr.rapidocr_engine import RapidOcrFinder

    if reader.reads_lines:
        extractor = Extractor(reader, DetectedLines(SharedFinder(RapidOcrFinder(reader.threads))))
    else:
        extractor = Extractor(reader, prompt=full_extraction_prompt(structure_of(mapping)) if mapping else None)
    return LoadedModel(extractor, read_by, mapping=mapping, reads="lines" if reader.reads_lines else "pages")
