"""Read lines with the recogniser of the OCR engine, where a user has no adapter of their own yet.

What belongs here: the OCR engine as an `image_reader.ImageReader`. The engine itself belongs to `ocr.rapidocr_engine`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from finscribe_assets.errors import UserError
from finscribe_assets.files import sha256_of_file
from finscribe_assets.inference.assignment_confidence import OCR_IDENTITY
from finscribe_assets.inference.image_reader import ReadRequest
from finscribe_assets.inference.json_grammar import JsonGrammar
from finscribe_assets.instructions.pair import OCR_PROMPT
from finscribe_assets.model.decoded_text import DecodedText
from finscribe_assets.model.line_finding import find_lines
from finscribe_assets.ocr.rapidocr_engine import RECOGNITION_MODEL, RapidOcrReader, model_path

_INSTEAD = "give --base or --adapter to read with a model"


@dataclass(frozen=True)
class OcrEngineBase:
    """Names the OCR engine where messages name a reader's base."""

    name: str = "the OCR engine's recogniser"


class OcrReader:
    """Reads printed lines with the OCR engine's own recogniser, which no training changes.

    It knows many fonts and scripts, and nothing of tables, prompts or JSON. The confidence of a text is the mean of its
    characters' confidences, as the engine gives it: neither comparable with a model's token probabilities nor
    calibrated.
    """

    reads_lines = True
    device_name = "cpu"
    adapter = None
    name = f"OCR engine ({RECOGNITION_MODEL.removesuffix('.onnx')} of RapidOCR)"

    def __init__(self, threads: int = 1) -> None:
        """Load the recognition model, which is part of the engine's wheel.

        Args:
            threads: CPU threads for one line.

        Raises:
            UserError: the engine is not installed.
        """
        self.base = OcrEngineBase()
        self.threads = threads
        self._engine = RapidOcrReader(threads)
        self._content = sha256_of_file(model_path(RECOGNITION_MODEL))

    @property
    def identity(self) -> str:
        """Return what readings depend on besides the images."""
        return f"{OCR_IDENTITY}{RECOGNITION_MODEL}"

    @property
    def record(self) -> dict[str, str | None]:
        """Return what is stored with predictions about their reader."""
        return {"base": self.name, "base_content": self._content, "adapter": None, "device": self.device_name}

    def read(
        self,
        requests: Sequence[ReadRequest],
        *,
        batch_size: int | None = None,
        max_new_tokens: int | None = None,
        grammar: JsonGrammar | None = None,
    ) -> list[DecodedText]:
        """Read images of one line or of a block of lines.

        Args:
            requests: One image each; the prompt must be the stock one for text.
            batch_size: Not used: the engine reads line by line.
            max_new_tokens: Not used: the engine reads a line to its end.
            grammar: Not supported.

        Returns:
            One text for each request, in their order, without tokens. The lines of a block are joined by line breaks,
            and its confidence is that of its least certain line.

        Raises:
            UserError: A request has another prompt or not exactly one image, or a grammar is given.
        """
        for request in requests:
            if request.prompt != OCR_PROMPT:
                raise UserError(f"prompt: {self.base.name} reads text and takes no prompt; {_INSTEAD}")
            if len(request.images) != 1:
                raise UserError(
                    f"{len(request.images)} images in one request, but {self.base.name} reads one; {_INSTEAD}"
                )
        if grammar is not None:
            raise UserError(f"json: {self.base.name} reads single printed lines and writes no JSON; {_INSTEAD}")
        return [self._read(request) for request in requests]

    def token_ends(self, decoded: DecodedText) -> list[int]:
        """Return no positions: the engine gives no tokens."""
        return []

    def _read(self, request: ReadRequest) -> DecodedText:
        image = request.images[0].convert("L")
        images = find_lines(image).images() if request.is_block else [image]
        lines = self._engine.read_scored([np.asarray(line) for line in images])
        text = "\n".join(line for line, _ in lines)
        confidence = min((score for _, score in lines), default=0.0)
        return DecodedText(text, (), (confidence,), truncated=False)
