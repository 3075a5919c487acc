"""From a plan to a scored prediction, and to the next plan, on plain files: one pass of the loop without Dagster.

    .venv/bin/python examples/plan_to_score.py --out work

Read it from top to bottom: each step is one function of the library, and what it returns is the next step's input. With
the defaults (32 documents, 20 training steps) it takes less than a minute; the adapter has then hardly learnt anything.
`--documents 400 --steps 850` are the sizes of `make demo`.

The commands of `finscribe` (synthesize, render, pairs, split, train, predict, evaluate, mine) do the same on the same
files, with progress bars. Only plain Python, JSON and Parquet are used, so that each step can be replaced by your own.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from finscribe_assets.documents.document_batch import synthesize, write_ground_truth
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.evaluation.report import EvaluationReport
from finscribe_assets.files import write_text
from finscribe_assets.inference.prediction import predict_batch
from finscribe_assets.instructions.pair_batch import build_pair_batch
from finscribe_assets.instructions.task_mix import LINE_RECIPE
from finscribe_assets.iteration.batch_documents import read_files
from finscribe_assets.iteration.measuring import measure, write_report
from finscribe_assets.iteration.next_batch import mine_documents
from finscribe_assets.pretraining.base_recipe import EMBEDDED_RECIPE
from finscribe_assets.rendering.page_batch import destroyed_fields, render_batch
from finscribe_assets.shards import LocalShardPool
from finscribe_assets.splitting.manifest import BatchInputs, build_data_set
from finscribe_assets.splitting.split_assignment import Split
from finscribe_assets.splitting.split_table import read_splits
from finscribe_assets.training import backends
from finscribe_assets.training.adapter_config import load_preset
from finscribe_assets.training.training_samples import SampleSource, TrainingBatchFolders


def main(work: Path, documents: int, steps: int) -> EvaluationReport:
    """Run one pass of the loop in the folder ``work``, and return the report on the validation documents."""
    pool = LocalShardPool(os.cpu_count() or 1)

    # 1. A plan says what to draw: a recipe (weights and knobs), a number of documents, and a seed. This recipe is what
    #    the embedded base can be taught; `Recipe()` draws all document types, locales, fonts and knobs.
    plan = seed_plan("batch-000", documents, seed=1, recipe=EMBEDDED_RECIPE)

    # 2. Documents with exact ground truth, in Parquet shards. The same plan gives the same bytes on any machine.
    synthesize(plan, work / "documents", pool)

    # 3. Pages, with the box of every value. Damage may have destroyed values; nobody is asked for those.
    render_batch(work / "documents", work / "images", pool)
    write_ground_truth(work / "documents", work / "documents.jsonl", destroyed_fields(work / "images"))

    # 4. Instruction pairs: an image region, a prompt, and the response that the image determines.
    build_pair_batch(work / "documents", work / "images", work / "pairs", pool, LINE_RECIPE)

    # 5. Train, validation and test, split by layout family and vendor. The manifest lists everything that the data set
    #    was made from.
    build_data_set([BatchInputs.of_workspace(plan, work)], plan.key, work / "splits", pool)

    # 6. An adapter (LoRA) on the embedded base. `base="PaddlePaddle/PaddleOCR-VL"` and the preset `mission` train the
    #    real model, on a GPU.
    source = SampleSource(work / "splits", (TrainingBatchFolders(plan.key, work / "pairs", work / "images"),))
    config = load_preset("embedded", max_steps=steps, learning_rate=5e-4)
    backends.train(config, source, work / "adapter", work / "adapter/work")

    # 7. Predictions of the adapter and, beside it, of the bare base, on the validation documents.
    validation = {row.document_id for row in read_splits(work / "splits") if row.split is Split.VALIDATION}
    predict_batch([work / "images"], validation, work / "predictions", adapter=work / "adapter")
    predict_batch([work / "images"], validation, work / "base")

    # 8. Scores with intervals, and the paired comparison with the bare base: report.json, and report.html for people.
    #    The ground truth is limited to the documents that were read: one without a prediction counts as missing.
    truths = (work / "documents.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    write_text(work / "validation.jsonl", "".join(line for line in truths if json.loads(line)["id"] in validation))
    predicted = read_files(
        work / "predictions/predictions.jsonl",
        work / "validation.jsonl",
        others={"base": work / "base/predictions.jsonl"},
        workspace=work,
    )
    report = measure(predicted, reader="my adapter", layout="renderer boxes (oracle)")
    write_report(report, predicted, work / "report.json")

    # 9. Weak cells and the plan of the next batch. So few documents hardly ever show a significant weakness.
    mined = mine_documents(predicted, plan, count=documents)
    if mined.plan:
        write_text(work / "next.json", mined.plan.model_dump_json(indent=2) + "\n")
    return report


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Run one pass of the loop on plain files.")
    parser.add_argument("--out", type=Path, default=Path("work"), help="folder to write; default: work")
    parser.add_argument("--documents", type=int, default=32, help="number of documents; default: 32")
    parser.add_argument("--steps", type=int, default=20, help="training steps; default: 20")
    given = parser.parse_args()
    scores = main(given.out, given.documents, given.steps)
    for name, metric in scores.headline.items():
        if metric:
            print(
                f"{name:20} {metric.value:6.1%}   95 % interval {metric.low:.1%} to {metric.high:.1%}   n = {metric.n}"
            )
    print(f"Report: {given.out / 'report.html'}")
