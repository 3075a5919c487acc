"""The exam of `loop.py`: documents of sellers that no batch has, frozen by a hash before anything is trained.

Its parts: `base`, documents of the recipe of the first batch; one part for each thing that the embedded base was never
trained on, every document of which shows it; and `others`, one document for each other factor, turned up. A field
counts as right if its canonical value is the true one.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from finscribe_assets.documents.batch_keys import EXAM_KEY
from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.elements import field_of
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.plan import Plan, PlanComponent
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.files import read_json, sha256_of, write_json
from finscribe_assets.inference.reader import Reader
from finscribe_assets.mining.planning import turned_up
from finscribe_assets.pretraining.base_recipe import UNSEEN_FONTS, UNSEEN_KNOBS, UNSEEN_LOCALE
from finscribe_assets.probing.battery import sample_fields
from finscribe_assets.probing.factors import ACTING_FIELDS, FactorSpace
from finscribe_assets.probing.readings import ReadingTask, count_failures
from finscribe_assets.probing.rendered_reading import RenderedReader
from finscribe_assets.shards import ShardPool

EXAM_SEED = 2_026_113_001
UNSEEN = (f"locale:{UNSEEN_LOCALE}", *(f"font:{name}" for name in UNSEEN_FONTS), *UNSEEN_KNOBS)
# Fields on which a knob acts: the amounts that are printed light on dark, and identifiers.
ACTING = {**ACTING_FIELDS, "reversed_print": frozenset({"totals.amount_due", "statement.closing_balance"})}
DOCUMENTS = {"base": 120, "reversed_print": 100, "confusable_identifiers": 100}
DOCUMENTS_OF_A_FACTOR = 40
FIELDS = {"base": 16}
FIELDS_OF_A_FACTOR = 12


@dataclass(frozen=True)
class ExamPart:
    """The documents of one part of the exam."""

    name: str
    tasks: tuple[ReadingTask, ...]


def showing(recipe: Recipe, factor: str) -> Recipe:
    """Return a recipe all of whose documents show a factor."""
    choice, _, value = factor.partition(":")
    if not value:
        return turned_up(recipe, factor).model_copy(
            update={"knobs": recipe.knobs.model_copy(update={factor: 1.0}), "locales": recipe.locales}
        )
    return recipe.model_copy(update={{"locale": "locales", "font": "fonts"}[choice]: {value: 1.0}})


def exam_parts(recipe: Recipe) -> list[ExamPart]:
    """Draw the exam of a recipe; it is a function of the recipe alone."""
    others = [factor.name for factor in FactorSpace(recipe).factors if factor.name not in UNSEEN]
    parts = [_part("base", [(recipe, DOCUMENTS["base"])])]
    parts += [_part(name, [(showing(recipe, name), DOCUMENTS.get(name, DOCUMENTS_OF_A_FACTOR))]) for name in UNSEEN]
    return [*parts, _part("others", [(turned_up(recipe, name), 1) for name in others])]


def _part(name: str, recipes: list[tuple[Recipe, int]]) -> ExamPart:
    components = tuple(
        PlanComponent(name=f"{name} {number}", documents=count, recipe=recipe)
        for number, (recipe, count) in enumerate(recipes)
    )
    seed = int(sha256_of(f"{EXAM_SEED}:{name}")[:12], 16)
    plan = Plan(key=EXAM_KEY, seed=seed, components=components)
    tasks = (_task(name, draw_document(plan, index)) for index in range(plan.documents))
    return ExamPart(name, tuple(task for task in tasks if task.fields))


def _task(name: str, document: DrawnDocument) -> ReadingTask:
    if name not in ACTING:
        return ReadingTask(document, sample_fields(document, FIELDS.get(name, FIELDS_OF_A_FACTOR)))
    paths = tuple(sorted(path for path in document.printed if field_of(path) in ACTING[name]))
    return ReadingTask(document, paths)


def exam_hash(parts: Iterable[ExamPart]) -> str:
    """Return the hash of an exam: of its documents as they are printed, and of the fields that count."""
    return sha256_of(
        "\n".join(
            f"{part.name}:{sha256_of(task.document.model_dump_json())}:{task.fields}"
            for part in parts
            for task in part.tasks
        )
    )


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
