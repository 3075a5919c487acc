"""How fast pairs are made, beside rendering the same documents, and how fast their images are loaded.

- rendering and pairing: CPU seconds a document of the usual recipe, side by side
- loading: samples a second, pages decoded once for all pairs that lie on them, or anew for each pair
- with --flat: so many documents' pairs, made from stored pages shard by shard, and the memory of the process

    python benchmarks/pairs.py
    python benchmarks/pairs.py --flat 50000
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

import psutil

from finscribe_assets.documents.document_batch import synthesize
from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.instructions.crops import page_cache, pair_images
from finscribe_assets.instructions.pair_batch import build_pair_batch
from finscribe_assets.instructions.task_mix import PairRecipe, make_pairs
from finscribe_assets.rendering.page_batch import render_batch
from finscribe_assets.rendering.render import render
from finscribe_assets.shards import LocalShardPool, reduce_garbage_collection

SHARD = 100  # documents
WATCHED = 20  # how often memory is looked at


def flat(documents: int) -> list[int]:
    """Return the MiB of this process's own while so many documents are paired, the same shard again and again."""
    plan = seed_plan("batch-000", SHARD, 1)
    pool, seen = LocalShardPool(1), []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        synthesize(plan, folder / "documents", pool, shard_size=SHARD)
        render_batch(folder / "documents", folder / "images", pool)
        rounds = documents // SHARD
        for number in range(rounds):
            build_pair_batch(folder / "documents", folder / "images", folder / "pairs", pool, PairRecipe())
            shutil.rmtree(folder / "pairs")
            if number % max(1, rounds // WATCHED) == 0:
                seen.append(psutil.Process().memory_full_info().uss >> 20)
    return seen


def main() -> None:
    """Print seconds and rates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=60, help="documents (default 60)")
    parser.add_argument("--flat", type=int, default=0, help="then pair so many and watch the memory")
    arguments = parser.parse_args()
    reduce_garbage_collection()  # as worker processes do
    plan = seed_plan("batch-000", arguments.documents, 1)
    rendering = pairing = 0.0
    made = []
    for index in range(arguments.documents):
        drawn = draw_document(plan, index)
        start = time.process_time()
        rendered = render(drawn)
        middle = time.process_time()
        pairs = make_pairs(drawn, rendered, PairRecipe())
        rendering, pairing = rendering + middle - start, pairing + time.process_time() - middle
        made.append((rendered, pairs))
    count = sum(len(pairs) for _, pairs in made)
    rates = {}
    for way, held in (("page cache", 8), ("no cache", 0)):
        start = time.process_time()
        for rendered, pairs in made:
            open_page = page_cache(lambda _, number, pages=rendered.pages: pages[number], held)
            for pair in pairs:
                pair_images(pair, open_page)
        rates[way] = round(count / (time.process_time() - start))
    report = {
        "documents": arguments.documents,
        "pairs a document": round(count / arguments.documents, 1),
        "CPU ms a document": {
            "rendering": round(rendering / arguments.documents * 1000, 1),
            "pairing": round(pairing / arguments.documents * 1000, 1),
        },
        "pairing, share of rendering": round(pairing / rendering, 3),
        "pairs a CPU second": round(count / pairing),
        "loaded samples a CPU second": rates,
    }
    if arguments.flat:
        report["MiB of the process's own on the way"] = flat(arguments.flat)
    sys.stdout.write(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
