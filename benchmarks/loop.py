"""Whether the probe's plan teaches more than rivals do, at equal documents, optimiser steps and replay.

For each seed a first batch is drawn in which the things that the embedded base was never trained on are rare, and an
adapter is trained on it. Then each arm says which 200 documents come next, and an adapter is trained on both batches:

- `probe`: the plan of a probe's effects (`mining/factor_plan.py`)
- `random`: the recipe of the first batch
- `uniform`: each document turned up for one factor, drawn evenly from all
- `hardest`: of 400 documents of the recipe those that the first adapter reads worst
- `observational`: the plan of mining the first batch's validation documents (`iteration.next_batch.mine_documents`)
- `oracle`: the plan for the six causes that are known to be true, allocated as the probe's

All of them take the exam of `loop_exam.py`. A killed run goes on from what is there.

    .venv/bin/python benchmarks/loop.py --work /tmp/loop --seeds 1 2 3 4 5       # measured: docs/experiments/loop.md
    .venv/bin/python benchmarks/loop_table.py --work /tmp/loop
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from loop_batches import Batch, Drawing, split, train
from loop_exam import UNSEEN, ExamPart, RememberingPool, exam_parts, frozen_hash, take_exam

from finscribe_assets.documents.document_batch import read_documents, write_ground_truth
from finscribe_assets.documents.drawn_document import DrawnDocument
from finscribe_assets.documents.elements import element_of
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.plan import Plan, PlanComponent, seed_plan
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.errors import UserError
from finscribe_assets.files import read_json, sha256_of, write_json, write_text
from finscribe_assets.inference.prediction import predict_batch
from finscribe_assets.inference.reader import Reader
from finscribe_assets.iteration.batch_documents import read_files
from finscribe_assets.iteration.next_batch import mine_documents
from finscribe_assets.mining.factor_plan import explain_factors, plan_for_factors
from finscribe_assets.mining.planning import turned_up
from finscribe_assets.pretraining.base_recipe import EMBEDDED_RECIPE
from finscribe_assets.probing.battery import sample_fields
from finscribe_assets.probing.factors import FactorSpace
from finscribe_assets.probing.readings import ReadingTask, count_failures, parts_of
from finscribe_assets.probing.rendered_reading import RenderedReader
from finscribe_assets.probing.sequential_probe import ProbeSettings, probe_reader
from finscribe_assets.rendering.page_batch import destroyed_fields
from finscribe_assets.shards import ShardPool, kept_workers
from finscribe_assets.splitting.split_assignment import Split
from finscribe_assets.splitting.split_table import read_splits

ARMS = ("probe", "random", "uniform", "hardest", "observational", "oracle")
CANDIDATES = 400  # of hardest-first
CANDIDATE_FIELDS = 12
# Elements that the things which the base was never trained on make harder to read.
HARMED_ELEMENTS = ("text", "party", "address", "line_item")
ELEMENTS = {"reversed_print": ("amount",), "confusable_identifiers": ("identifier",)}
FIRST, NEXT = "batch-000", "batch-001"
SAMPLED_DOCUMENTS = 150  # for the number of fields of each element


@dataclass(frozen=True)
class Sizes:
    """Documents and optimiser steps."""

    documents: int
    first_steps: int
    targeted: int
    steps: int


def seed_of(seed: int, name: str) -> int:
    """Return the seed of one draw of a run."""
    return int(sha256_of(f"loop:{seed}:{name}")[:12], 16)


@dataclass(frozen=True)
class TrueCause:
    """A cause that is known to be true, as an effect that a probe could have measured."""

    factor: str
    element: str
    effect: float = 0.2
    low: float = 0.1
    high: float = 0.3
    verdict: str = "harmful"


class Run:
    """One seed: its first batch and adapter, and what every arm makes of them."""

    def __init__(self, work: Path, seed: int, sizes: Sizes, recipe: Recipe, pool: ShardPool) -> None:
        """Take the folder of all seeds, and what the run is made of."""
        self.folder, self.seed, self.sizes, self.recipe, self.pool = work / f"seed-{seed}", seed, sizes, recipe, pool
        self.drawing = Drawing(pool)

    def draw_ahead(self) -> None:
        """Draw everything that depends on no reader."""
        split([self.first_batch()], self.folder / FIRST / "splits")
        for arm in ("random", "uniform", "oracle"):
            split([self.first_batch(), self.batch(arm)], self.folder / arm / "splits")
        self.candidates()

    def first_batch(self) -> Batch:
        """Return the first batch."""
        plan = seed_plan(FIRST, self.sizes.documents, seed_of(self.seed, FIRST), self.recipe)
        return self.drawing.batch(plan, self.folder / FIRST)

    def first_adapter(self) -> Path:
        """Return the adapter of the first batch."""
        return train([self.first_batch()], self.folder / FIRST, steps=self.sizes.first_steps, seed=self.seed)

    def adapter(self, arm: str) -> Path:
        """Return the adapter of an arm."""
        batches = [self.first_batch(), self.batch(arm)]
        return train(batches, self.folder / arm, steps=self.sizes.steps, seed=self.seed, previous=self.first_adapter())

    def batch(self, arm: str) -> Batch:
        """Return the documents that an arm asks for."""
        if arm == "hardest":
            return self.hardest()
        known = self.drawing.known(self.folder / arm)
        return known or self.drawing.batch(getattr(self, f"{arm}_plan")(), self.folder / arm)

    def random_plan(self) -> Plan:
        """Return a plan of the first batch's recipe."""
        return seed_plan(NEXT, self.sizes.targeted, seed_of(self.seed, "random"), self.recipe)

    def uniform_plan(self) -> Plan:
        """Return a plan of documents turned up for one factor each."""
        names = [factor.name for factor in FactorSpace(self.recipe).factors]
        random = Random(seed_of(self.seed, "uniform"))
        counts = Counter(random.choices(names, k=self.sizes.targeted))
        components = tuple(
            PlanComponent(name=name, documents=count, recipe=turned_up(self.recipe, name))
            for name, count in sorted(counts.items())
        )
        return Plan(key=NEXT, seed=seed_of(self.seed, "uniform"), components=components)

    def probe_plan(self) -> Plan:
        """Return the plan of a probe's effects."""
        file = self.folder / "probe" / "probe.json"
        return self.plan_of_probe(self.first_batch().plan, self.first_adapter(), file, ())

    def plan_of_probe(self, parent: Plan, adapter: Path, file: Path, watched: Sequence[str]) -> Plan:
        """Probe an adapter, and plan the batch after ``parent``."""
        settings = ProbeSettings(seed=seed_of(self.seed, "probe"))
        reader = RenderedReader(Reader(adapter=adapter), self.pool)
        result = probe_reader(reader, self.recipe, settings, watched=watched, cache=file.parent / "probe-cache")
        write_text(file, result.model_dump_json(indent=2) + "\n")
        plan, planned = plan_for_factors(
            parent, result.effects, self.sizes.targeted, fields_by_element=self.fields_by_element()
        )
        write_json(file.with_name("factors.json"), explain_factors(planned))
        return plan or self.random_plan()

    def fields_by_element(self) -> Counter[str]:
        """Return the number of fields of each element, and of parts of elements, in documents of the recipe."""
        plan = seed_plan(NEXT, SAMPLED_DOCUMENTS, seed_of(self.seed, "fields"), self.recipe)
        counts: Counter[str] = Counter()
        for index in range(SAMPLED_DOCUMENTS):
            for path in draw_document(plan, index).printed:
                element = str(element_of(path))
                counts.update([element, *parts_of(path, element)])
        return counts

    def oracle_plan(self) -> Plan:
        """Return the plan for the causes that are known to be true."""
        causes = [TrueCause(name, element) for name in UNSEEN for element in ELEMENTS.get(name, HARMED_ELEMENTS)]
        plan, _ = plan_for_factors(
            self.first_batch().plan, causes, self.sizes.targeted, fields_by_element=self.fields_by_element()
        )
        if plan is None:
            raise UserError(f"no plan for {', '.join(UNSEEN)}; the recipe draws none of them")
        return plan.model_copy(update={"seed": seed_of(self.seed, "oracle")})

    def observational_plan(self) -> Plan:
        """Return the plan of mining the first batch's validation documents; the recipe's where nothing is weak."""
        batch, adapter = self.first_batch(), self.first_adapter()
        rows = read_splits(batch.folder / "splits")
        names = {row.document_id for row in rows if row.split is Split.VALIDATION}
        output = self.folder / "observational"
        predict_batch([batch.folder / "images"], names, output, adapter=adapter)
        truths = output / "ground-truth.jsonl"
        write_ground_truth(batch.folder / "documents", truths, destroyed_fields(batch.folder / "images"))
        lines = truths.read_text(encoding="utf-8").splitlines(keepends=True)
        write_text(truths, "".join(line for line in lines if json.loads(line)["id"] in names))
        documents = read_files(output / "predictions.jsonl", truths, workspace=batch.folder)
        mined = mine_documents(documents, batch.plan, self.sizes.targeted)
        write_json(output / "mined.json", mined.to_json())
        return mined.plan or self.random_plan()

    def candidates(self) -> Batch:
        """Return the documents of which hardest-first takes some."""
        plan = seed_plan(NEXT, CANDIDATES, seed_of(self.seed, "hardest"), self.recipe)
        return self.drawing.batch(plan, self.folder / "hardest")

    def hardest(self) -> Batch:
        """Return the candidates that the first adapter reads worst: by fields that fail, then by confidence."""
        batch, file = self.candidates(), self.folder / "hardest" / "chosen.json"
        if not file.exists():
            documents = list(read_documents(batch.folder / "documents"))
            ranked = sorted(self.hardness(documents), reverse=True)
            write_json(file, sorted(name for _, _, name in ranked[: self.sizes.targeted]))
        return replace(batch, chosen=frozenset(read_json(file)))

    def hardness(self, documents: Sequence[DrawnDocument]) -> list[tuple[float, float, str]]:
        """Return the failure rate, the mean doubt and the id of each document."""
        tasks = [ReadingTask(drawn, sample_fields(drawn, CANDIDATE_FIELDS)) for drawn in documents]
        reader = RenderedReader(Reader(adapter=self.first_adapter()), self.pool)
        ranked = []
        for task, predictions in zip(tasks, reader.read(tasks), strict=True):
            counts = [count for name, count in count_failures(task, predictions).items() if "/" not in name]
            rate = sum(failures for failures, _ in counts) / max(1, sum(fields for _, fields in counts))
            doubt = 1 - sum(predictions.confidence.values()) / max(1, len(predictions.confidence))
            ranked.append((rate, doubt, task.document.id))
        return ranked

    def iterate(self, parts: Sequence[ExamPart], exam_pages: ShardPool, iterations: int) -> None:
        """Go on with the probe's arm: probe, plan, train and take the exam, ``iterations`` times in all."""
        batches, adapter = [self.first_batch(), self.batch("probe")], self.adapter("probe")
        for number in range(2, iterations + 1):
            folder = self.folder / f"iteration-{number}"
            batch = self.drawing.known(folder)
            if batch is None:
                # The recipe that readers are deployed on is that of the first batch.
                parent = batches[-1].plan
                components = (batches[0].plan.components[0], *parent.components[1:])
                parent = parent.model_copy(update={"components": components})
                batch = self.drawing.batch(self.plan_of_probe(parent, adapter, folder / "probe.json", ()), folder)
            batches.append(batch)
            adapter = train(batches, folder, steps=self.sizes.steps, seed=self.seed, previous=adapter)
            take_exam(parts, adapter, exam_pages, self.folder / "scores" / f"iteration-{number}.json")


def run_seed(run: Run, arms: Iterable[str], parts: Sequence[ExamPart], exam_pages: ShardPool) -> None:
    """Train and examine every reader of one seed."""
    scores = run.folder / "scores"
    readers: dict[str, Any] = {
        "batch-000": run.first_adapter,
        **{arm: lambda arm=arm: run.adapter(arm) for arm in arms},
    }
    for name, adapter in readers.items():
        started = time.process_time()
        taken = take_exam(parts, adapter(), exam_pages, scores / f"{name}.json")
        rates = {part: round(sum(r for r, _ in docs) / sum(n for _, n in docs), 3) for part, docs in taken.items()}
        print(f"seed {run.seed} {name}: {rates}, {time.process_time() - started:.0f} CPU s", flush=True)


def main(given: argparse.Namespace) -> None:
    """Run all seeds."""
    recipe = EMBEDDED_RECIPE
    sizes = Sizes(given.documents, given.first_steps, given.targeted, given.steps)
    parts = exam_parts(recipe)
    frozen = {"exam": frozen_hash(parts), "sizes": vars(sizes)}
    file = given.work / "frozen.json"
    if file.exists() and read_json(file) != frozen:
        raise SystemExit(f"{file}: was made with another exam or other sizes: {read_json(file)} and not {frozen}")
    write_json(file, frozen)
    with kept_workers(1) as pool:
        exam_pages = RememberingPool(pool, given.work / "exam-pages.pickle")
        runs = [Run(given.work, seed, sizes, recipe, pool) for seed in given.seeds]
        if given.draw_only:
            for run in runs:
                run.draw_ahead()
            return
        take_exam(parts, None, exam_pages, given.work / "base.json")
        for run in runs:
            run_seed(run, given.arms, parts, exam_pages)
        for run in runs[: given.iterated_seeds]:
            run.iterate(parts, exam_pages, given.iterations)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    parser.add_argument("--documents", type=int, default=300, help="of the first batch")
    parser.add_argument("--first-steps", type=int, default=300, help="of the first adapter")
    parser.add_argument("--targeted", type=int, default=200, help="documents of each arm")
    parser.add_argument("--steps", type=int, default=200, help="of each arm's adapter")
    parser.add_argument("--iterations", type=int, default=3, help="of the probe's arm")
    parser.add_argument("--iterated-seeds", type=int, default=1, help="seeds whose probe arm goes on")
    parser.add_argument("--draw-only", action="store_true", help="draw what depends on no reader, and end")
    main(parser.parse_args())
