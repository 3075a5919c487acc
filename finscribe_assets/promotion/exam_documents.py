"""The documents of the exam: drawn from sellers and seeds that no batch and no probe has, the same for every reader.

The base part has documents of the recipe that a reader is deployed on. Each factor that a plan turns up gets a part of
its own, whose documents all show the factor: a rare factor would hardly count in the base part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count, islice

from finscribe_assets.documents.batch_keys import EXAM_KEY
from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.elements import field_of
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.page_evidence import determined_values
from finscribe_assets.documents.plan import Plan, PlanComponent
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.errors import UserError
from finscribe_assets.files import sha256_of
from finscribe_assets.mining.factor_plan import recipe_showing
from finscribe_assets.probing.battery import sample_fields
from finscribe_assets.probing.factors import ACTING_FIELDS, present_factors
from finscribe_assets.promotion.exam_results import BASE_PART
from finscribe_assets.schema_mapping.mapping import SchemaMapping

EXAM_SEED = 20261201
BASE_DOCUMENTS = 300
FACTOR_DOCUMENTS = 25  # of each factor's part
FIELDS_PER_PAPER = 12
LAST_PAPER = 1_000_000
MAX_DRAWS_PER_PAPER = 40  # documents drawn for each one of a factor's part, before it is given up


class UndrawableFactorError(UserError):
    """The recipe hardly draws documents that show a factor, so that no part of the exam can be made of them."""


@dataclass(frozen=True)
class ExamPaper:
    """A document of the exam, and the paths of the fields that count."""

    part: str
    number: int
    drawn: DrawnDocument
    fields: tuple[str, ...]

    @property
    def id(self) -> str:
        """Return the paper's name, such as ``base/17``."""
        return f"{self.part}/{self.number}"

    @property
    def content(self) -> str:
        """Return a hash of the document and of the fields that count."""
        return sha256_of(f"{self.drawn.model_dump_json()}:{self.fields}")[:16]


def exam_papers(
    recipe: Recipe,
    factors: Iterable[str] = (),
    documents: int = BASE_DOCUMENTS,
    *,
    on_left_out: Callable[[str], None] | None = None,
) -> list[ExamPaper]:
    """Draw the exam: the base part, then a part for each factor.

    A part depends on the recipe and its own factor alone, so that an exam that grows keeps its documents.

    Args:
        recipe: What the reader is deployed on.
        factors: Names of factors, such as ``font:Lato`` or ``reversed_print``.
        documents: Number of documents of the base part.
        on_left_out: Called with each factor that the recipe cannot draw; it gets no part. Without it such a factor is
            an error.

    Raises:
        UndrawableFactorError: the recipe cannot draw documents that show a factor, and ``on_left_out`` is not given.
    """
    papers = list(islice(_base_papers(recipe), documents))
    for factor in dict.fromkeys(factors):
        try:
            papers += factor_papers(recipe, factor)
        except UndrawableFactorError:
            if on_left_out is None:
                raise
            on_left_out(factor)
    return papers


def papers_in_keys(papers: Iterable[ExamPaper], mapping: SchemaMapping | None) -> list[ExamPaper]:
    """Return the papers, asked for the fields that a user's keys have; those without such a field are left out.

    Args:
        papers: of an exam.
        mapping: of the user's keys; None if readers write those of the schema.
    """
    if mapping is None:
        return list(papers)
    asked = (
        replace(paper, fields=tuple(path for path in paper.fields if mapping.key_at(path) is not None))
        for paper in papers
    )
    return [paper for paper in asked if paper.fields]


def _base_papers(recipe: Recipe) -> Iterator[ExamPaper]:
    for number in count():
        drawn = draw_document(_plan(recipe, BASE_PART), number)
        if fields := sample_fields(drawn, FIELDS_PER_PAPER):
            if "currency_code" in determined_values(drawn, drawn.printed.keys()):
                fields = (*sample_fields(drawn, FIELDS_PER_PAPER - 1), "currency_code")
            yield ExamPaper(BASE_PART, number, drawn, fields)


def factor_papers(recipe: Recipe, factor: str, documents: int = FACTOR_DOCUMENTS) -> list[ExamPaper]:
    """Draw the part of a factor: documents that show it, asked for the fields on which it acts.

    Raises:
        UndrawableFactorError: the recipe cannot draw documents that show the factor.
    """
    plan = _plan(recipe_showing(recipe, (factor,)), factor)
    papers = []
    for number in range(documents * MAX_DRAWS_PER_PAPER):
        drawn = draw_document(plan, number)
        fields = _fields_of(drawn, factor) if factor in present_factors(drawn) else ()
        if fields:
            papers.append(ExamPaper(factor, number, drawn, fields))
        if len(papers) == documents:
            return papers
    raise UndrawableFactorError(
        f"{factor}: the recipe hardly draws documents that show it, so that no exam can be made of it"
    )


def _fields_of(drawn: DrawnDocument, factor: str) -> tuple[str, ...]:
    acting = ACTING_FIELDS.get(factor)
    if acting is None:
        return sample_fields(drawn, FIELDS_PER_PAPER)
    return tuple(islice((path for path in sorted(drawn.printed) if field_of(path) in acting), FIELDS_PER_PAPER))


def _plan(recipe: Recipe, part: str) -> Plan:
    seed = int(sha256_of(f"{EXAM_SEED}:{part}")[:15], 16)
    return Plan(key=EXAM_KEY, seed=seed, components=(PlanComponent(name=part, documents=LAST_PAPER, recipe=recipe),))
