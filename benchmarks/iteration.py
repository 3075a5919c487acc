"""What an iteration gains: the base, its first adapter and the adapter after mining, on frozen documents.

Two frozen sets of documents are drawn from vendors that no batch has: `unseen` holds all that the embedded base was
never trained on (French, three fonts, reversed print, look-alike identifiers), `usual` holds what it was. Each reader
reads both. Differences are paired by document.

    .venv/bin/python benchmarks/iteration.py --work /tmp/iteration

A killed run goes on from what is there. With the defaults it takes about eleven CPU minutes on one thread.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from finscribe_assets.documents.batch_keys import PROBE_KEY
from finscribe_assets.documents.document_batch import synthesize, write_ground_truth
from finscribe_assets.documents.plan import Plan, seed_plan
from finscribe_assets.documents.recipe import Recipe
from finscribe_assets.evaluation.report import EvaluationReport
from finscribe_assets.files import write_text
from finscribe_assets.inference.prediction import predict_batch
from finscribe_assets.instructions.pair_batch import build_pair_batch
from finscribe_assets.instructions.task_mix import PairRecipe
from finscribe_assets.iteration.batch_documents import PredictedDocuments, read_files
from finscribe_assets.iteration.measuring import measure
from finscribe_assets.iteration.next_batch import mine_documents
from finscribe_assets.pretraining.base_recipe import EMBEDDED_RECIPE, SCORED_SLICES
from finscribe_assets.rendering.page_batch import destroyed_fields, render_batch
from finscribe_assets.shards import LocalShardPool
from finscribe_assets.splitting.manifest import BatchInputs, build_data_set
from finscribe_assets.splitting.split_assignment import Split
from finscribe_assets.splitting.split_table import read_splits
from finscribe_assets.training import backends
from finscribe_assets.training.adapter_config import load_preset
from finscribe_assets.training.training_samples import SampleSource, TrainingBatchFolders

POOL = LocalShardPool(1)
METRICS = ("field_f1", "exact_match", "teds", "numeric_consistency")
seconds: dict[str, float] = {}


def timed(name: str, started: float) -> None:
    """Add the CPU seconds since ``started`` to a stage."""
    seconds[name] = round(seconds.get(name, 0.0) + time.process_time() - started, 1)


def draw(plan: Plan, folder: Path) -> None:
    """Draw and render a plan's documents."""
    started = time.process_time()
    synthesize(plan, folder / "documents", POOL, shard_size=1000)
    timed("documents", started)
    started = time.process_time()
    render_batch(folder / "documents", folder / "images", POOL)
    timed("pages", started)
    write_ground_truth(folder / "documents", folder / "documents.jsonl", destroyed_fields(folder / "images"))


def train(batches: list[tuple[Plan, Path]]) -> Path:
    """Pair and split the newest batch, and return the folder of an adapter of all batches."""
    plan, folder = batches[-1]
    started = time.process_time()
    build_pair_batch(folder / "documents", folder / "images", folder / "pairs", POOL, PairRecipe())
    inputs = [BatchInputs.of_workspace(*batch) for batch in batches]
    build_data_set(inputs, plan.key, folder / "splits", POOL)
    timed("pairs and splits", started)
    started = time.process_time()
    sources = tuple(TrainingBatchFolders(plan.key, path / "pairs", path / "images") for plan, path in batches)
    source = SampleSource(folder / "splits", sources)
    backends.train(load_preset("embedded"), source, folder / "adapter", folder / "adapter/work")
    timed("training", started)
    return folder / "adapter"


def read(folder: Path, names: set[str], reader: str, adapter: Path | None) -> PredictedDocuments:
    """Read some documents of a folder, and return the predictions with their ground truth."""
    started = time.process_time()
    output = folder / "predictions" / reader
    predict_batch([folder / "images"], names, output, adapter=adapter)
    timed("reading", started)
    lines = (folder / "documents.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    truths = output / "ground-truth.jsonl"
    write_text(truths, "".join(line for line in lines if json.loads(line)["id"] in names))
    others = {"base": folder / "predictions/base/predictions.jsonl"} if reader != "base" else {}
    return read_files(output / "predictions.jsonl", truths, others=others, workspace=folder)


def row(frozen: str, reader: str, report: EvaluationReport) -> dict[str, Any]:
    """Return a reader's metrics on a frozen set as a row of the table."""
    values: dict[str, Any] = {"frozen set": frozen, "reader": reader, "documents": report.documents}
    for name in METRICS:
        if metric := report.headline[name]:
            values[name] = f"{metric.value:.4f} [{metric.low:.4f}, {metric.high:.4f}]"
    if "base" in report.comparisons and (gain := report.comparisons["base"].metrics["field_f1"]):
        values["gain of field_f1"] = f"{gain.difference:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}], p {gain.p}"
    return values


def main(work: Path, documents: int, targeted: int, frozen: int) -> None:
    """Run the iteration and print the table."""
    exams: dict[str, Recipe] = {"unseen": SCORED_SLICES["all_held_out"], "usual": SCORED_SLICES["base"]}
    for seed, (name, recipe) in enumerate(exams.items(), 777_000_100):
        draw(seed_plan(PROBE_KEY, frozen, seed, recipe), work / name)
    readers: dict[str, Path | None] = {"base": None}

    first = seed_plan("batch-000", documents, 20_260_101, EMBEDDED_RECIPE)
    draw(first, work / first.key)
    readers["after batch-000"] = train([(first, work / first.key)])
    validation = {
        item.document_id for item in read_splits(work / first.key / "splits") if item.split is Split.VALIDATION
    }
    read(work / first.key, validation, "base", None)
    mined = mine_documents(
        read(work / first.key, validation, "after batch-000", readers["after batch-000"]), first, targeted
    )
    if mined.plan:
        draw(mined.plan, work / mined.plan.key)
        readers["after batch-001"] = train([(first, work / first.key), (mined.plan, work / mined.plan.key)])

    rows = []
    for name in exams:
        names = {json.loads(line)["id"] for line in (work / name / "documents.jsonl").open(encoding="utf-8")}
        for reader, adapter in readers.items():
            rows.append(row(name, reader, measure(read(work / name, names, reader, adapter), reader=reader)))
    print(json.dumps({"rows": rows, "CPU seconds": seconds, "plan": mined.explained}, indent=2, default=str))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--documents", type=int, default=400)
    parser.add_argument("--targeted", type=int, default=200)
    parser.add_argument("--frozen", type=int, default=60)
    given = parser.parse_args()
    main(given.work, given.documents, given.targeted, given.frozen)
