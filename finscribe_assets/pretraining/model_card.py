"""The model card that lies beside a base: what it is, how it was made, and how well it reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.evaluation.report import TARGETS
from finscribe_assets.files import write_json, write_text
from finscribe_assets.model.embedded_checkpoint import CARD, SCORES, content_hash, load_base, load_processor
from finscribe_assets.model.line_images import LineType
from finscribe_assets.pretraining import line_corpus as printed
from finscribe_assets.pretraining.base_recipe import (
    BASE_RECIPE,
    SCORED_SLICES,
    UNSEEN_FONTS,
    UNSEEN_KNOBS,
    UNSEEN_LOCALE,
)
from finscribe_assets.pretraining.document_scores import score_documents
from finscribe_assets.pretraining.line_scores import SCORED_SEED, score_base
from finscribe_assets.pretraining.pretrain import read_log
from finscribe_assets.pretraining.pretraining_config import PretrainConfig
from finscribe_assets.pretraining.table_scores import MOST_ROWS

HEAD = """---
license: apache-2.0
library_name: transformers
pipeline_tag: image-to-text
language: [{languages}]
tags: [ocr, paddleocr_vl, synthetic]
---

# FinScribe's embedded base

A model of {parameters:.2f} million parameters that reads one printed line of a financial document, in PaddleOCR-VL's
own architecture (`PaddleOCRVLForConditionalGeneration` of transformers), with a tokenizer of {tokens} characters and
pieces. It exists so that FinScribe's whole loop runs for real without a download and without a GPU. **It is not
PaddleOCR-VL, holds none of its weights, and its scores say nothing about PaddleOCR-VL's.**

- Input: a strip of one printed line, brought to a height of 28 pixels (`model/line_images.py`), and a prompt in
  PaddleOCR-VL 1.5's chat format. `OCR:` of a field's line, or of a block's with its label: the text, verbatim; no-break
  spaces come out as plain ones. `Table Recognition:` of a printed line across a whole table: its cells, as OTSL.
- Whole tables are read line by line: `model/line_finding.py` finds the lines, `model/table_assembly.py` puts what was
  read of them together. It knows no whole pages and no JSON.
- Weights: bf16 safetensors. Content: `{content}` (`content_hash` of `model/embedded_checkpoint.py`).

## How it was made

`finscribe pretrain-base`, seed {seed}, code of commit `{commit}`, from random weights, on synthetic lines alone:
{drawn} documents' texts and random strings drawn directly, {rendered} documents rendered and cut into lines, in
{locales} locales and {fonts_known} font families.
Steps: {vision} on the vision tower with the place of every glyph, {language} on the language model, {joint} on
everything; {minutes:.1f} minutes of {device}.{note}

**Left out**, so that an adapter has something to learn: the locale {locale}, the fonts {fonts},
and the knobs {knobs}.

## Scores

Exact match on every printed line of every field of rendered documents drawn with another seed ({scored_seed}); 95 %
intervals from resampling documents. Names, streets and wares recur between documents: *new texts* are the lines whose
text no pretraining line had. *Clean* pages have no damage, those of *light damage* any up to strength 0.5, those of the
base recipe up to 0.3, as in pretraining.

| slice | lines | documents | exact match | 95 % interval |
|---|---|---|---|---|
"""

NAMES = {
    "clean": "clean",
    "base": "**base recipe**",
    "light": "light damage",
    "locale": f"held out: {UNSEEN_LOCALE}",
    "fonts": "held out: fonts",
    "reversed_print": "held out: reversed print",
    "confusable_identifiers": "held out: confusable identifiers",
    "all_held_out": "all that is held out, together",
}

TABLES = f"""
## Tables

Tables of up to {MOST_ROWS} rows, the head included; the table's box is the renderer's, its printed lines are found in
its pixels. *Lines found*: share of all tables whose strips are their printed lines, each once. *Perfect rows*: TEDS if
every strip had been read right. *Floor*: TEDS of answering with another document's table of the same size, and
that of its structure.

| slice | lines found | tables | TEDS | structure alone | cells right | whole tables | perfect rows | floor | its own |
|---|---|---|---|---|---|---|---|---|---|
"""
DOCUMENTS = """
## Whole documents

Receipts and invoices of one page, read through their regions; the targets are the user's for the real model. With the
boxes of tables alone, what stands in which column is told by the head, whose labels must be read for that.

| slice | regions | measure | target | measured | 95 % interval | n |
|---|---|---|---|---|---|---|
"""
BLOCKS = """
## Lines of blocks

Header, parties, totals and payment, line by line: label and value, as the renderer's box of the line has them; one that
wraps is parted by `line_finding.py`. F1: a line that is not read exactly is both missing and made up.

| slice | lines | exact match | 95 % interval | F1 |
|---|---|---|---|---|
"""


def _row(name: str, share: Mapping[str, Any]) -> str:
    return (
        f"| {name} | {share['lines']:,} | {share['documents']} | {share['exact_match']:.1%} "
        f"| {share['low']:.1%} to {share['high']:.1%} |\n"
    )


def _tables(slices: Mapping[str, Any]) -> str:
    text = TABLES
    for name, found in slices.items():
        scores = found.get("tables")
        if scores and scores["tables"]:
            cells = [f"{scores['lines_found']['sound']:.1%} of {scores['lines_found']['tables']}", scores["tables"]]
            cells += [f"{scores['teds']:.3f} ({' to '.join(f'{end:.3f}' for end in scores['teds_interval'])})"]
            cells += [f"{scores['teds_structure']:.3f}", f"{scores['cell_accuracy']:.1%} of {scores['cells']:,}"]
            cells += [f"{scores['exact_tables']:.1%}"]
            cells += [f"{scores[name]:.3f}" for name in ("perfect_rows", "floor", "floor_structure")]
            text += f"| {NAMES[name]} | {' | '.join(map(str, cells))} |\n"
    return text


def _documents(scores: Mapping[str, Any]) -> str:
    text = DOCUMENTS
    for name, layouts in scores.items():
        for layout, measured in layouts.items():
            for measure, figure in measured.items():
                target = TARGETS[measure]
                verdict = "met" if figure["value"] > target else "not met"
                text += (
                    f"| {NAMES[name]} | {layout} | {measure.replace('_', ' ')} | > {target:.0%}, {verdict} "
                    f"| {figure['value']:.1%} | {figure['low']:.1%} to {figure['high']:.1%} "
                    f"| {figure['n']:,} |\n"
                )
    return text


def _blocks(slices: Mapping[str, Any]) -> str:
    text = BLOCKS
    for name, found in slices.items():
        share = found["blocks"]
        text += (
            f"| {NAMES[name]} | {share['lines']:,} | {share['exact_match']:.1%} "
            f"| {share['low']:.1%} to {share['high']:.1%} | {share['key_f1']:.3f} |\n"
        )
    text += "\nBy region on clean pages; those of no name stand outside the marked regions.\n\n"
    text += "| region | lines | documents | exact match | 95 % interval |\n|---|---|---|---|---|\n"
    return text + "".join(_row(region or "–", share) for region, share in slices["clean"]["regions"].items())


def _curve(records: Sequence[Mapping[str, Any]]) -> str:
    curve = [record for record in records if "exact_match_field" in record]
    if not curve:
        return ""
    kinds = (LineType.FIELD, LineType.BLOCK, LineType.ROW)
    text = "\n## Learning curve\n\nExact match on lines of the base recipe that were not trained on.\n\n"
    text += "| minutes | step | phase | fields | blocks | rows of tables |\n|---|---|---|---|---|---|\n"
    for record in curve:
        scores = " | ".join(f"{record.get(f'exact_match_{kind}', 0):.1%}" for kind in kinds)
        text += f"| {record['minutes']:.1f} | {record['step']:,} | {record['phase']} | {scores} |\n"
    return text


def card(
    config: PretrainConfig,
    records: Sequence[Mapping[str, Any]],
    scores: Mapping[str, Any],
    *,
    commit: str,
    content: str,
    parameters: int,
    tokens: int,
    note: str = "",
) -> str:
    """Return the card as Markdown, from the pretraining's settings and log, and `base_scores.score_base`'s scores.

    ``note`` is what else is to be said of how the base was made.
    """
    languages = sorted({LOCALE_FACTS[locale].language for locale in BASE_RECIPE.locales})
    text = HEAD.format(
        parameters=parameters / 1e6,
        tokens=tokens,
        content=content,
        seed=config.seed,
        commit=commit,
        languages=", ".join(languages),
        locales=len(BASE_RECIPE.locales),
        fonts_known=len(BASE_RECIPE.fonts),
        drawn=f"{config.drawn_documents:,}",
        rendered=f"{config.rendered_documents:,}",
        vision=f"{config.vision_steps:,}",
        language=f"{config.language_steps:,}",
        joint=f"{config.joint_steps:,}",
        minutes=records[-1]["minutes"],
        device=records[-1]["device"],
        note=f" {note}" if note else "",
        locale=UNSEEN_LOCALE,
        fonts=", ".join(UNSEEN_FONTS),
        knobs=" and ".join(f"`{knob}`" for knob in UNSEEN_KNOBS),
        scored_seed=scores["seed"],
    )
    slices = scores["slices"]
    for name, found in slices.items():
        text += _row(NAMES[name], found["overall"])
        if "new_texts" in found:
            text += _row("base recipe, new texts", found["new_texts"])
    text += "\nBy element, on clean pages, under light damage, and where a held-out knob touches one (of the amounts "
    text += "under reversed print only the amount due is reversed):\n\n"
    text += "| element | lines | documents | exact match | 95 % interval |\n|---|---|---|---|---|\n"
    for name in ("clean", "light"):
        text += "".join(_row(f"{element}, {name}", share) for element, share in slices[name]["elements"].items())
    for element, name in (("amount", "reversed_print"), ("identifier", "confusable_identifiers")):
        if element in slices[name]["elements"]:
            text += _row(f"{element}, {name.replace('_', ' ')}", slices[name]["elements"][element])
    return text + _tables(slices) + _blocks(slices) + _documents(scores["documents"]) + _curve(records)


def describe_base(
    out: Path,
    work: Path,
    config: PretrainConfig,
    commit: str,
    documents: int = 150,
    *,
    note: str = "",
    report: Callable[[str], None] = lambda name: None,
) -> dict[str, Any]:
    """Score the base that `pretrain` wrote to ``out`` from ``work``, and write scores and card beside it.

    ``commit`` names the code that it was made with, and ``note`` says what else the card should; ``report`` is given
    the name of each slice that is scored. Returns the scores.
    """
    model, processor = load_base(out), load_processor(out)
    known = {line.text for source in ("drawn", "rendered") for line in printed.load(work / source)}
    scores = score_base(model, processor.tokenizer, documents, known, report=report)
    scores["documents"] = {
        name: score_documents(str(out), SCORED_SLICES[name], 2 * documents, SCORED_SEED) for name in ("clean", "light")
    }
    write_json(out / SCORES, scores)
    text = card(
        config,
        read_log(work),
        scores,
        commit=commit,
        content=content_hash(out),
        note=note,
        parameters=model.num_parameters(),
        tokens=len(processor.tokenizer),
    )
    write_text(out / CARD, text)
    return scores
