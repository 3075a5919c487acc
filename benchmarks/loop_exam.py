"""The exam of `loop.py`: documents of sellers that no batch has, frozen by a hash before anything is trained.

Its papers are the product's (`promotion.exam_documents`). Its parts: `base`, documents of the recipe of the first
batch; one part for each thing that the embedded base was never trained on, every document of which shows it; and
`others`, one document for each other factor. A field counts as right if its canonical value is the true one.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.files import read_json, sha256_of, write_json
from finscribe_assets.inference.reader import Reader
from finscribe_assets.pretraining.base_recipe import UNSEEN_FONTS, UNSEEN_KNOBS, UNSEEN_LOCALE
from finscribe_assets.probing.factors import FactorSpace
from finscribe_assets.probing.readings import ReadingTask, count_failures
from finscribe_assets.probing.rendered_reading import RenderedReader
from finscribe_assets.promotion.exam_documents import ExamPaper, exam_papers, factor_papers
from finscribe_assets.promotion.exam_reading import exam_hash
from finscribe_assets.promotion.exam_results import BASE_PART
from finscribe_assets.shards import ShardPool

UNSEEN = (f"locale:{UNSEEN_LOCALE}", *(f"font:{name}" for name in UNSEEN_FONTS), *UNSEEN_KNOBS)
BASE_DOCUMENTS = 150
FACTOR_DOCUMENTS = {"reversed_print": 100, "confusable_identifiers": 100}  # one or two fields count in each
OTHER_FACTOR_DOCUMENTS = 40
OTHERS_PART = "others"


@dataclass(frozen=True)
class ExamPart:
    """The papers of one part of the exam."""

    name: str
    papers: tuple[ExamPaper, ...]

    @property
    def tasks(self) -> list[ReadingTask]:
        """Return what is read."""
        return [ReadingTask(paper.drawn, paper.fields) for paper in self.papers]


def exam_parts(recipe: Recipe) -> list[ExamPart]:
    """Draw the exam of a recipe; it is a function of the recipe alone."""
    parts = [ExamPart(BASE_PART, tuple(exam_papers(recipe, documents=BASE_DOCUMENTS)))]
    for name in UNSEEN:
        count = FACTOR_DOCUMENTS.get(name, OTHER_FACTOR_DOCUMENTS)
        parts.append(ExamPart(name, tuple(factor_papers(recipe, name, count))))
    others = [factor.name for factor in FactorSpace(recipe).factors if factor.name not in UNSEEN]
    return [*parts, ExamPart(OTHERS_PART, tuple(factor_papers(recipe, name, 1)[0] for name in others))]


def frozen_hash(parts: Iterable[ExamPart]) -> str:
    """Return the hash of an exam: of its documents as they are printed, and of the fields that count."""
    return exam_hash([paper for part in parts for paper in part.papers])


@dataclass
class RememberingPool:
    """A pool that keeps what it computed, in memory and in a file: pages of the exam are the same for every reader."""

    pool: ShardPool
    file: Path
    known: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read what was computed before."""
        if self.file.exists():
            self.known = pickle.loads(self.file.read_bytes())  # noqa: S301 – written below

    def run(self, work: Callable[[Any], Any], jobs: Iterable[Any]) -> Iterator[Any]:
        """Yield the result of each job."""
        keyed = {sha256_of(repr(job)): job for job in jobs}
        missing = [job for key, job in keyed.items() if key not in self.known]
        if missing:
            by_number = {job.number: sha256_of(repr(job)) for job in missing}
            self.known |= {by_number[result[0]]: result for result in self.pool.run(work, missing)}
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self.file.write_bytes(pickle.dumps(self.known))
        yield from (self.known[key] for key in keyed)


Scores = Mapping[str, list[tuple[int, int]]]
"""Part → right fields and fields of each document."""


def take_exam(parts: Iterable[ExamPart], adapter: Path | None, pool: ShardPool, file: Path) -> Scores:
    """Return the scores of a reader, and write them to a file, from which they are read the next time."""
    if file.exists():
        return {name: [tuple(pair) for pair in scores] for name, scores in read_json(file).items()}
    reader = RenderedReader(Reader(adapter=adapter), pool)
    scores: dict[str, list[tuple[int, int]]] = {}
    for part in parts:
        scores[part.name] = [
            _right(count_failures(task, predictions))
            for task, predictions in zip(part.tasks, reader.read(part.tasks), strict=True)
        ]
    write_json(file, scores)
    return scores


def _right(counts: Mapping[str, tuple[int, int]]) -> tuple[int, int]:
    whole = [count for element, count in counts.items() if "/" not in element]
    fields = sum(count for _, count in whole)
    return fields - sum(failures for failures, _ in whole), fields
