"""How much an adapter gains from 10, 25 and 50 corrected documents, read on documents of other vendors.

No hundred labelled real documents may be published with this repository, so the mail is a stand-in: drawn with layouts,
fonts and a locale that the training recipe leaves out, then scanned by a device that the renderer does not have
(`mail_room`). Everything after that is the product: the documents come as images with the ground truth that
`finscribe review-import` writes, are imported with `train`, and adapters are trained with `real_share`. Training and
held-out documents have no vendor in common; layouts and fonts they do.

    python benchmarks/correction_curve.py --work build/correction-curve --plot docs/images/correction-curve.png

Each adapter starts from the bare base and takes the same number of steps. Scores are of the lines at the boxes of the
corrected values: exactly read, and character error rate, first averaged over the lines of a document. Intervals
resample vendors; differences to synthetic documents alone are paired, and average over the seeds of the training.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from loop_batches import Batch, Drawing, split
from PIL import Image

from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.layout_families import LAYOUT_FACTS
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.files import read_json, read_table, sha256_of, write_json
from finscribe_assets.importing.folder_import import import_folder
from finscribe_assets.importing.printed_lines import LabelledLine, lines_to_json
from finscribe_assets.inference.image_reader import ReadRequest
from finscribe_assets.inference.reader import Reader
from finscribe_assets.instructions.crops import crop
from finscribe_assets.instructions.pair import OCR_PROMPT, Pair, Task, pairs_from_table
from finscribe_assets.pretraining.base_recipe import EMBEDDED_RECIPE, UNSEEN_FONTS, UNSEEN_LOCALE
from finscribe_assets.rendering.located_boxes import locate
from finscribe_assets.rendering.page_checks import RenderError
from finscribe_assets.rendering.pages import MarkType, Page, RenderedDocument
from finscribe_assets.rendering.render import render
from finscribe_assets.shards import LocalShardPool, shard_files
from finscribe_assets.splitting.split_assignment import Split
from finscribe_assets.splitting.split_table import read_splits, write_splits
from finscribe_assets.training import backends
from finscribe_assets.training.adapter_config import load_preset
from finscribe_assets.training.training_samples import SampleSource, TrainingBatchFolders

MAIL_RECIPE = EMBEDDED_RECIPE.model_copy(
    update={
        "layouts": {name: 1.0 for name, facts in LAYOUT_FACTS.items() if facts.held_out},
        "fonts": dict.fromkeys((*UNSEEN_FONTS, "Gentium Plus", "Roboto Slab"), 1.0),
        "locales": {UNSEEN_LOCALE: 1.0, "de_DE": 0.5, "en_GB": 0.5},
    }
)
MAIL_SEED, SYNTHETIC_SEED = 7_181, 7_182
MAX_PAGES = 1
DRAWS = 2_000  # of the bootstrap
MAX_LINES = 25  # read of each document
LINES_EACH = 12  # located lines of a corrected document; a person's answer would have all of them


def mail_room(page: Page, seed: int) -> np.ndarray:
    """Return the page as a scanner with a jittering carriage and a worn lamp gives it, at 0.75 of its size."""
    random = np.random.default_rng(seed)
    grey = np.asarray(page.open().convert("L"))
    height, width = grey.shape
    jitter = np.cumsum(random.normal(0, 0.35, height))
    jitter -= np.convolve(np.pad(jitter, 20, mode="edge"), np.ones(41) / 41, "valid")
    columns = (np.arange(width)[None, :] + jitter[:, None]).astype(np.float32)
    rows = np.repeat(np.arange(height, dtype=np.float32)[:, None], width, axis=1)
    moved = cv2.remap(grey, columns, rows, cv2.INTER_LINEAR, borderValue=255)
    spread = cv2.erode(moved, np.ones((2, 1), np.uint8))  # ink runs down
    small = cv2.resize(spread, (width * 3 // 4, height * 3 // 4), interpolation=cv2.INTER_AREA).astype(np.float32)
    lamp = 1 - 0.25 * np.abs(np.linspace(-1, 1, small.shape[1]))[None, :] ** 2
    streaks = 1 - 0.08 * (random.random(small.shape[1]) < 0.04)[None, :]
    return np.clip((70 + 0.66 * small) * lamp * streaks + random.normal(0, 5, small.shape), 0, 255).astype(np.uint8)


def located_lines(document: RenderedDocument) -> list[LabelledLine]:
    """Return the visible lines of fields, as a person who corrects a document leaves their boxes."""
    sizes = [(page.width, page.height) for page in document.pages]
    return [
        LabelledLine(mark.name, locate(part.page, part.box, sizes[part.page]), part.text)
        for mark in document.of_type(MarkType.FIELD)
        if mark.visible
        for part in mark.fragments
        if part.text
    ]


def write_mail(folder: Path, training: int, held_out: int) -> dict[str, int]:
    """Write corrected documents: images, and ground truth with boxes, texts and the split of the vendor."""
    plan, found = seed_plan("batch-700", 10_000, MAIL_SEED, MAIL_RECIPE), {"train": 0, "test": 0}
    vendors: dict[str, set[str]] = {"train": set(), "test": set()}
    for index in range(10_000):
        if found == {"train": training, "test": held_out}:
            break
        drawn = draw_document(plan, index)
        vendor = str(drawn.document.seller.name) if drawn.document.seller else ""
        part = "test" if int(sha256_of(vendor)[:8], 16) % 3 == 0 else "train"
        if not vendor or found[part] == {"train": training, "test": held_out}[part]:
            continue
        try:
            rendered = render(drawn)
        except RenderError:
            continue
        lines = located_lines(rendered)
        if len(rendered.pages) > MAX_PAGES or len(lines) < LINES_EACH:
            continue
        found[part] += 1
        vendors[part].add(vendor)
        name = f"{index:05d}"
        Image.fromarray(mail_room(rendered.pages[0], index)).save(folder / f"{name}.png")
        chosen = sorted(lines, key=lambda line: sha256_of(f"{index}{line.path}{line.place}"))
        record = {
            "document": drawn.document.to_json(),
            "printed": list(drawn.printed),
            "boxes": lines_to_json(sorted(chosen[: MAX_LINES if part == "test" else LINES_EACH])),
            "split": part,
        }
        write_json(folder / f"{name}.json", record)
    return {**found, **{f"vendors of {part}": len(names) for part, names in vendors.items()}}


def workspace_of(real: Path, folder: Path, count: int) -> Path:
    """Return a workspace with ``count`` of the training documents; smaller ones are part of larger ones."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("images", "pairs"):
        if not (folder / name).exists():
            (folder / name).symlink_to((real / name).resolve())
    rows = read_splits(real / "splits")
    training = sorted((row.document_id for row in rows if row.split is Split.TRAIN), key=sha256_of)
    left = set(training[count:])
    write_splits(folder / "splits", [replace(r, split=Split.HELD_BACK) if r.document_id in left else r for r in rows])
    return folder


def held_out_lines(real: Path) -> tuple[list[Pair], dict[tuple[str, int], Page], dict[str, str]]:
    """Return the located lines of held-out documents, their pages, and the vendor of each document."""
    vendors = {row.document_id: row.group for row in read_splits(real / "splits") if row.split is Split.REAL}
    pairs, pages = [], {}
    for file in shard_files(real / "pairs"):
        pairs += [
            pair
            for pair in pairs_from_table(read_table(file))
            if pair.task is Task.OCR_LINE and pair.document_id in vendors
        ]
        for row in read_table(real / "images" / file.name).to_pylist():
            if row["document_id"] in vendors:
                pages[row["document_id"], row["page"]] = Page(row["image"]["bytes"], row["width"], row["height"])
    return pairs, pages, vendors


def edit_distance(first: str, second: str) -> int:
    row = list(range(len(second) + 1))
    for index, one in enumerate(first, 1):
        previous, row[0] = row[0], index
        for at, other in enumerate(second, 1):
            previous, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, previous + (one != other))
    return row[-1]


def score(adapter: Path | None, real: Path) -> dict[str, list[float]]:
    """Return for each held-out document the share of lines read exactly, and the mean character error rate."""
    pairs, pages, _ = held_out_lines(real)
    opened = {key: page.open() for key, page in pages.items()}
    requests = [
        ReadRequest((crop(opened[pair.document_id, pair.pages[0]], pair.box),), OCR_PROMPT)
        for pair in pairs
        if pair.box is not None
    ]
    read = Reader(adapter=adapter, threads=1).read(requests)
    results: dict[str, list[tuple[bool, float]]] = {}
    for pair, found in zip(pairs, read, strict=True):
        text, expected = " ".join(found.text.split()), " ".join(pair.response.split())
        errors = min(edit_distance(text, expected) / len(expected), 1.0)
        results.setdefault(pair.document_id, []).append((text == expected, errors))
    return {
        name: [float(np.mean([exact for exact, _ in lines])), float(np.mean([rate for _, rate in lines]))]
        for name, lines in results.items()
    }


def train(synthetic: Batch, work: Path, real: Path | None, given: argparse.Namespace, seed: int, name: str) -> Path:
    output = work / "adapters" / name
    settings: dict[str, Any] = {
        "tasks": ["ocr_line"],
        "epochs": 1000.0,
        "max_steps": given.steps,
        "seed": seed,
        "validation_samples": 0,
        "real_share": given.share if real else 0.0,
    }
    folders = TrainingBatchFolders(synthetic.plan.key, synthetic.folder / "pairs", synthetic.folder / "images")
    source = SampleSource(work / "splits", (folders,), (real,) if real else ())
    backends.train(load_preset("embedded", **settings), source, output, output / "work")
    return output


def interval(values: np.ndarray, vendors: Sequence[str], random: np.random.Generator) -> list[float]:
    """Return mean and 95 % interval of documents' values; vendors are resampled."""
    members = [np.flatnonzero(np.array(vendors) == vendor) for vendor in sorted(set(vendors))]
    draws = []
    for _ in range(DRAWS):
        chosen = np.concatenate([members[one] for one in random.integers(0, len(members), len(members))])
        draws.append(values[chosen].mean())
    return [round(float(value), 4) for value in (values.mean(), *np.quantile(draws, [0.025, 0.975]))]


def table(scores: Mapping[str, Mapping[str, list[float]]], vendors: Mapping[str, str], sizes: Sequence[int]) -> Any:
    """Return the rows: each size with both metrics, their intervals, and the paired differences to size 0."""
    names = sorted(next(iter(scores.values())))
    of = [vendors[name] for name in names]

    def values(prefix: str, metric: int) -> np.ndarray:
        runs = [run for key, run in scores.items() if key == prefix or key.startswith(f"{prefix}-")]
        return np.mean([[run[name][metric] for name in names] for run in runs], axis=0)

    rows = []
    for prefix in ("base", *(f"real{size}" for size in sizes)):
        row: dict[str, Any] = {"arm": prefix}
        for metric, title in enumerate(("lines read exactly", "character error rate")):
            row[title] = interval(values(prefix, metric), of, np.random.default_rng(0))
            if prefix not in ("base", "real0"):
                change = values(prefix, metric) - values("real0", metric)
                row[f"{title}, difference"] = interval(change, of, np.random.default_rng(0))
        row["by seed"] = {
            key: round(float(np.mean([run[n][0] for n in names])), 4)
            for key, run in scores.items()
            if key.startswith(f"{prefix}-")
        }
        rows.append(row)
    return rows


def plot(rows: Sequence[Mapping[str, Any]], file: Path, *, lines: int, documents: int, vendors: int) -> None:
    from matplotlib import pyplot as plt

    arms = [row for row in rows if row["arm"] != "base"]
    sizes = [int(row["arm"].removeprefix("real")) for row in arms]
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6))
    for axis, title in zip(axes, ("lines read exactly", "character error rate"), strict=True):
        found = np.array([row[title] for row in arms])
        axis.fill_between(sizes, found[:, 1], found[:, 2], alpha=0.2)
        axis.plot(sizes, found[:, 0], "o-")
        base = next(row for row in rows if row["arm"] == "base")[title][0]
        axis.axhline(base, color="grey", linestyle=":", label="bare base")
        axis.set_xlabel("corrected documents beside the synthetic ones")
        axis.set_xticks(sizes)
        axis.set_title(title, fontsize=10)
        axis.legend(frameon=False, fontsize=8)
    figure.suptitle(
        f"{documents} held-out documents of {vendors} other vendors, {lines} lines (drawn stand-ins); 95 % by vendor",
        fontsize=9,
    )
    figure.tight_layout()
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=[0, 10, 25, 50])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--held-out", type=int, default=24)
    parser.add_argument("--synthetic", type=int, default=60)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--share", type=float, default=0.5)
    parser.add_argument("--plot", type=Path)
    given = parser.parse_args()
    work, started = given.work, time.process_time()
    synthetic = Drawing(LocalShardPool(1)).batch(
        seed_plan("batch-000", given.synthetic, SYNTHETIC_SEED, EMBEDDED_RECIPE), work / "synthetic"
    )
    split([synthetic], work / "splits")
    real = work / "real"
    if not (real / "import-report.json").exists():
        (work / "mail").mkdir(exist_ok=True)
        print(write_mail(work / "mail", max(given.sizes), given.held_out))
        import_folder(work / "mail", real, "drawn for this benchmark", train=True)
        print(f"mail: {time.process_time() - started:.0f} CPU s")
    scores_file = work / "scores.json"
    scores: dict[str, dict[str, list[float]]] = read_json(scores_file) if scores_file.exists() else {}
    if "base" not in scores:
        scores["base"] = score(None, real)
        write_json(scores_file, scores)
    for seed in given.seeds:
        for size in given.sizes:
            name = f"real{size}-{seed}"
            if name in scores:
                continue
            workspace = workspace_of(real, work / "workspaces" / str(size), size) if size else None
            scores[name] = score(train(synthetic, work, workspace, given, seed, name), real)
            write_json(scores_file, scores)
            print(f"{name}: {np.mean(list(scores[name].values()), axis=0)}, {time.process_time() - started:.0f} CPU s")
    pairs, _, vendors = held_out_lines(real)
    rows = table(scores, vendors, given.sizes)
    print(json.dumps(rows, indent=1))
    print(f"base {Reader().base.content[:12]}, {len(pairs)} lines, {time.process_time() - started:.0f} CPU s here")
    if given.plot:
        plot(rows, given.plot, lines=len(pairs), documents=len(vendors), vendors=len(set(vendors.values())))


if __name__ == "__main__":
    main()
