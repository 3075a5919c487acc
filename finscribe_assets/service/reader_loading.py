"""Load the reader that the service is asked for: a model in this process, one on a server, or the OCR engine."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from finscribe_assets.service.document_reading import ReadBy
from finscribe_assets.service.reader_in_use import AdapterChoice, LoadedModel, LoadModel

if TYPE_CHECKING:
    import numpy as np

    from finscribe_assets.inference.image_reader import ImageReader
    from finscribe_assets.inference.server_settings import ServerSettings
    from finscribe_assets.ocr.line_protocols import LineFinder
    from finscribe_assets.rendering.pages import Box


@dataclass
class SharedFinder:
    """A line finder that several threads use, one after the other; implements `line_protocols.LineFinder`."""

    finder: LineFinder
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, page: np.ndarray) -> list[Box]:
        """Find the printed lines of a page."""
        with self._lock:
            return self.finder.find(page)


def load_here(base: str | None, threads: int) -> LoadModel:
    """Return a function that loads a model into this process, or the OCR engine where neither is named.

    Args:
        base: Name or folder of the base; that of the adapter's training record unless given.
        threads: CPU threads of the model and of the text detector.
    """

    def load(choice: AdapterChoice) -> LoadedModel:
        if base is None and choice.folder is None:
            from finscribe_assets.inference.ocr_reader import OcrReader

            engine = OcrReader(threads)
            return _model_of(engine, ReadBy(base=engine.name, adapter=None, batch=None))
        from finscribe_assets.inference.reader import Reader
        from finscribe_assets.model.adapters import adapter_record

        name = base or str(adapter_record(choice.folder)["config"]["base"])
        reader = Reader(name, choice.folder, threads=threads)
        return _model_of(reader, ReadBy(base=reader.base.name, adapter=reader.adapter, batch=choice.batch))

    return load


def load_server(settings: ServerSettings, threads: int) -> LoadModel:
    """Return a function that connects to a model on an OpenAI-compatible server.

    Documents are read at the same time, as many as there are workers: the server batches their requests.

    Args:
        settings: The server, and how it is asked.
        threads: CPU threads of the text detector.
    """

    def load(_: AdapterChoice) -> LoadedModel:
        from finscribe_assets.inference.server_reader import ServerReader

        reader = ServerReader(settings, threads)
        return _model_of(reader, ReadBy(base=reader.name, adapter=None, batch=None), one_at_a_time=False)

    return load


def _model_of(reader: ImageReader, read_by: ReadBy, *, one_at_a_time: bool = True) -> LoadedModel:
    from finscribe_assets.inference.extraction import Extractor
    from finscribe_assets.inference.region_layout import DetectedLines
    from finscribe_assets.ocr.rapidocr_engine import RapidOcrFinder

    layout = DetectedLines(SharedFinder(RapidOcrFinder(reader.threads))) if reader.reads_lines else None
    return LoadedModel(Extractor(reader, layout), read_by, one_at_a_time)
