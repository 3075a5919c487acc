"""Results of an exam: what one reader got right on each frozen document, as JSON lines.

An exam has parts: ``base`` holds documents of the recipe that the reader is deployed on; each further part holds
documents that show one factor, such as ``font:Comic Neue``, which a plan has turned up.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, Field

from finscribe_assets.errors import MissingInputError, UserError
from finscribe_assets.files import AnyPath, write_text

BASE_PART = "base"


class ExamDocument(BaseModel):
    """What a reader got right on one document of the exam."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    part: str = Field(description="base, or the factor that the document shows")
    content: str = Field(default="", description="hash of the document and of the fields that were read")
    fields: int = Field(ge=1, description="number of fields that were read")
    correct: int = Field(ge=0, description="number of fields whose canonical value is the expected one")
    stock_similarity: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="mean similarity of responses to the model's stock prompts; None if unread",
    )
    response_tokens: int = Field(default=0, ge=0, description="tokens of the responses to stock prompts")
    endless_responses: int = Field(default=0, ge=0, description="responses that reached the max new tokens")

    @property
    def accuracy(self) -> float:
        """Return the share of the fields that were read right."""
        return self.correct / self.fields


class ExamResult(BaseModel):
    """What one reader got right on all documents of an exam, in their order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reader: str = Field(description="identity of the reader: base and adapter by content")
    exam: str = Field(description="hash of the exam's documents and fields; only results of one exam are compared")
    documents: tuple[ExamDocument, ...]

    def parts(self) -> dict[str, tuple[ExamDocument, ...]]:
        """Return the documents by part, base first and the factors in order of their names."""
        names = sorted({document.part for document in self.documents}, key=lambda part: (part != BASE_PART, part))
        return {name: tuple(document for document in self.documents if document.part == name) for name in names}


def paired_documents(this: ExamResult, other: ExamResult) -> list[tuple[ExamDocument, ExamDocument]]:
    """Return the documents that both readers have read, in the order of this reader's.

    An exam grows by a part for each factor that plans turn up, so the other result may lack some.

    Raises:
        UserError: a document of one id differs in part, content or number of fields: the exams are not the same.
    """
    known = {document.id: document for document in other.documents}
    pairs = [(document, known[document.id]) for document in this.documents if document.id in known]
    for ours, theirs in pairs:
        if (ours.part, ours.content, ours.fields) != (theirs.part, theirs.content, theirs.fields):
            raise UserError(
                f"exam document {ours.id}: {ours.part} with {ours.fields} fields in one result, {theirs.part} with "
                f"{theirs.fields} in the other; let both readers take the same exam"
            )
    return pairs


def write_result(result: ExamResult, file: AnyPath) -> None:
    """Write a result as JSON lines: a head, then a line for each document."""
    head = {"reader": result.reader, "exam": result.exam}
    lines = [json.dumps(head, ensure_ascii=False), *(document.model_dump_json() for document in result.documents)]
    write_text(file, "\n".join(lines) + "\n")


def read_result(file: AnyPath) -> ExamResult:
    """Read a result that `write_result` wrote.

    Raises:
        MissingInputError: there is no such file.
        UserError: a line is not of the form; the message names file and line.
    """
    if not file.exists():
        raise MissingInputError(f"{file}: no exam result; let the adapter take the exam first")
    lines = file.read_text(encoding="utf-8").splitlines()
    try:
        head = json.loads(lines[0]) if lines else {}
        documents = tuple(ExamDocument.model_validate_json(line) for line in lines[1:])
        return ExamResult(reader=head["reader"], exam=head["exam"], documents=documents)
    except (ValueError, KeyError) as error:
        raise UserError(f"{file}: not an exam result ({error})") from error


def mean_accuracy(documents: Iterable[ExamDocument]) -> float:
    """Return the mean over documents of the share of fields read right; 0 without documents."""
    shares = [document.accuracy for document in documents]
    return sum(shares) / len(shares) if shares else 0.0
