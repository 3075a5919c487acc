"""Write the model card beside a base: what it is, how it was made, and how well it reads.

What belongs here: the card's text, and its tables, which are made from scores.json and from the pretraining's log.
Every number in the card comes from there or from the code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from finscribe_assets.documents.locales import LOCALE_FACTS
from finscribe_assets.evaluation.report import TARGETS
from finscribe_assets.files import write_json, write_text
from finscribe_assets.model.embedded_checkpoint import CARD, SCORES, content_hash, load_base, load_processor
from finscribe_assets.model.line_images import LINE_HEIGHT, LineType
from finscribe_assets.model.torch_runtime import torch_threads
from finscribe_assets.pretraining.base_recipe import (
    BASE_RECIPE,
    MAX_LIGHT_DAMAGE,
    SCORED_SLICES,
    UNSEEN_FONTS,
    UNSEEN_KNOBS,
    UNSEEN_LOCALE,
)
from finscribe_assets.pretraining.document_scores import score_documents
from finscribe_assets.pretraining.line_corpus import load_lines
from finscribe_assets.pretraining.line_scores import SCORED_SEED, score_base
from finscribe_assets.pretraining.pretrain import read_log
from finscribe_assets.pretraining.pretraining_config import PretrainConfig
from finscribe_assets.pretraining.table_scores import MAX_TABLE_ROWS

_INTRODUCTION = """---
license: apache-2.0
library_name: transformers
pipeline_tag: image-to-text
language: [{languages}]
tags: [ocr, paddleocr_vl, synthetic]
---

# FinScribe's embedded base

A model of {parameters:.2f} million parameters that reads one printed line of a financial document. It has
PaddleOCR-VL's own architecture (`PaddleOCRVLForConditionalGeneration` of transformers) and a tokenizer of {tokens}
characters and pieces. With it FinScribe's whole loop runs for real without a download and without a GPU. **It is not
PaddleOCR-VL, has none of its weights, and its scores say nothing about PaddleOCR-VL's.**

- Input: an image of one printed line, scaled to a height of {line_height} pixels (`model/line_images.py`), and a prompt
  in PaddleOCR-VL 1.5's chat format.
- `OCR:` asks for a field's line, or a block's line with its label. The response is the text, verbatim; no-break spaces
  come out as plain ones.
- `Table Recognition:` asks for a printed line across a whole table. The response is its cells, as OTSL. To read a whole
  table, `model/line_finding.py` finds its lines, and `model/table_assembly.py` assembles what was read of them.
- The model cannot read whole pages, and does not write JSON.
- Weights: bfloat16 safetensors. Content: `{content}` (`content_hash` of `model/embedded_checkpoint.py`).

## How it was made

`finscribe pretrain-base` with seed {seed} and the code of commit `{commit}`, from {first_weights},
on synthetic lines only: texts of {drawn} documents and random strings, drawn directly; {rendered} documents, rendered
and cut into lines.
They have {locales} locales and {fonts_known} font families.
Steps: {steps}; {minutes:.1f} minutes of {device}.{note}

**Held out**, so that an adapter has something to learn: the locale {locale}, the fonts {fonts},
and the knobs {knobs}.

## Scores

Exact match over all printed lines of all fields of rendered documents that were drawn with another seed
({scored_seed}); 95 % intervals from resampling documents. Names, streets and wares recur between documents: *new texts*
are the lines whose text no pretraining line had. *Clean* pages have no damage, those of *light damage* up to strength
{light_damage}, those of the base recipe up to 0.3, as in pretraining.

| slice | lines | documents | exact match | 95 % interval |
|---|---|---|---|---|
"""

_TRAINED = {
    "vision": "of the vision tower on lines with the position of every glyph",
    "language": "of the language model",
    "joint": "of everything",
}
_SLICE_NAMES = {
    "clean": "clean",
    "base": "**base recipe**",
    "light": "light damage",
    "locale": f"held out: {UNSEEN_LOCALE}",
    "fonts": "held out: fonts",
    "reversed_print": "held out: reversed print",
    "confusable_identifiers": "held out: confusable identifiers",
    "all_held_out": "everything held out, together",
}
_ELEMENTS_INTRODUCTION = """
By element: on clean pages, under light damage, and for each held-out knob the element that it changes. Of the amounts,
reversed print changes the amount due only.

| element | lines | documents | exact match | 95 % interval |
|---|---|---|---|---|
"""
_TABLES_INTRODUCTION = f"""
## Tables

Tables of up to {MAX_TABLE_ROWS} rows, the head included. The renderer gives a table's box; its printed lines are found
in the pixels.

- *Lines found*: share of all tables whose printed lines were found, each once.
- *Structure*: TEDS of the structure alone.
- *Exact rows*: TEDS if every line had been read exactly.
- *Floor*: TEDS of answering with another document's table of the same size, and the same for the structure alone.

| slice | lines found | tables | TEDS | structure | exact cells | exact tables | exact rows | floor | structure floor |
|---|---|---|---|---|---|---|---|---|---|
"""
_BLOCKS_INTRODUCTION = """
## Lines of blocks

Header, parties, totals and payment, line by line, label and value. The renderer gives a line's box; where it wraps,
`model/line_finding.py` splits it. F1: a line that is not read exactly counts as one false negative and one false
positive.

| slice | lines | exact match | 95 % interval | F1 |
|---|---|---|---|---|
"""
_REGIONS_INTRODUCTION = """
By region, on clean pages. Lines without a name stand outside the marked regions.

| region | lines | documents | exact match | 95 % interval |
|---|---|---|---|---|
"""
_DOCUMENTS_INTRODUCTION = """
## Whole documents

Receipts and invoices of one page, read through their regions. The targets are those of FinScribe's users for
PaddleOCR-VL. With the boxes of fields and tables only, the column of a value follows from the table's head, whose
labels must be read for that.

| slice | regions | metric | target | measured | 95 % interval | n |
|---|---|---|---|---|---|---|
"""
_CURVE_INTRODUCTION = """
## Learning curve

Exact match on lines of the base recipe that were not trained on.

| minutes | step | phase | fields | blocks | rows of tables |
|---|---|---|---|---|---|
"""


def _accuracy_row(name: str, accuracy: Mapping[str, Any]) -> str:
    return (
        f"| {name} | {accuracy['lines']:,} | {accuracy['documents']} | {accuracy['exact_match']:.1%} "
        f"| {accuracy['low']:.1%} to {accuracy['high']:.1%} |\n"
    )


def _lines_rows(slices: Mapping[str, Any]) -> str:
    text = ""
    for name, scores in slices.items():
        text += _accuracy_row(_SLICE_NAMES[name], scores["overall"])
        if "new_texts" in scores:
            text += _accuracy_row("base recipe, new texts", scores["new_texts"])
    return text


def _elements_section(slices: Mapping[str, Any]) -> str:
    text = _ELEMENTS_INTRODUCTION
    for name in ("clean", "light"):
        rows = slices[name]["elements"].items()
        text += "".join(_accuracy_row(f"{element}, {name}", accuracy) for element, accuracy in rows)
    for element, name in (("amount", "reversed_print"), ("identifier", "confusable_identifiers")):
        if element in slices[name]["elements"]:
            text += _accuracy_row(f"{element}, {name.replace('_', ' ')}", slices[name]["elements"][element])
    return text


def _tables_section(slices: Mapping[str, Any]) -> str:
    text = _TABLES_INTRODUCTION
    for name, of_slice in slices.items():
        scores = of_slice.get("tables")
        if scores and scores["tables"]:
            cells = [
                f"{scores['lines_found']['sound']:.1%} of {scores['lines_found']['tables']}",
                str(scores["tables"]),
                f"{scores['teds']:.3f} ({' to '.join(f'{end:.3f}' for end in scores['teds_interval'])})",
                f"{scores['teds_structure']:.3f}",
                f"{scores['cell_accuracy']:.1%} of {scores['cells']:,}",
                f"{scores['exact_tables']:.1%}",
                *(f"{scores[key]:.3f}" for key in ("perfect_rows", "floor", "floor_structure")),
            ]
            text += f"| {_SLICE_NAMES[name]} | {' | '.join(cells)} |\n"
    return text


def _blocks_section(slices: Mapping[str, Any]) -> str:
    text = _BLOCKS_INTRODUCTION
    for name, scores in slices.items():
        blocks = scores["blocks"]
        text += (
            f"| {_SLICE_NAMES[name]} | {blocks['lines']:,} | {blocks['exact_match']:.1%} "
            f"| {blocks['low']:.1%} to {blocks['high']:.1%} | {blocks['key_f1']:.3f} |\n"
        )
    regions = slices["clean"]["regions"].items()
    return text + _REGIONS_INTRODUCTION + "".join(_accuracy_row(region or "–", rate) for region, rate in regions)


def _documents_section(documents: Mapping[str, Any]) -> str:
    text = _DOCUMENTS_INTRODUCTION
    for name, layouts in sorted(documents.items()):
        for layout, metrics in sorted(layouts.items()):
            for key, metric in sorted(metrics.items()):
                target = TARGETS[key]
                verdict = "met" if metric["value"] > target else "not met"
                text += (
                    f"| {_SLICE_NAMES[name]} | {layout} | {key.replace('_', ' ')} | > {target:.0%}, {verdict} "
                    f"| {metric['value']:.1%} | {metric['low']:.1%} to {metric['high']:.1%} | {metric['n']:,} |\n"
                )
    return text


def _curve_section(records: Sequence[Mapping[str, Any]]) -> str:
    scored = [record for record in records if "exact_match_field" in record]
    if not scored:
        return ""
    text = _CURVE_INTRODUCTION
    for record in scored:
        types = (LineType.FIELD, LineType.BLOCK, LineType.ROW)
        scores = " | ".join(f"{record.get(f'exact_match_{line_type}', 0):.1%}" for line_type in types)
        text += f"| {record['minutes']:.1f} | {record['step']:,} | {record['phase']} | {scores} |\n"
    return text


def scores_sections(scores: Mapping[str, Any]) -> str:
    """Return the sections of the card that are made from scores.json alone, as Markdown."""
    slices = {name: scores["slices"][name] for name in SCORED_SLICES if name in scores["slices"]}
    lines, elements = _lines_rows(slices), _elements_section(slices)
    tables, blocks = _tables_section(slices), _blocks_section(slices)
    return lines + elements + tables + blocks + _documents_section(scores["documents"])


def _first_weights(config: PretrainConfig) -> str:
    """Say what the pretraining started from."""
    base = config.first_base
    return f"the weights of the base with content `{base.content}`" if base else "random weights"


def render_card(
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
    """Render the model card as Markdown.

    Args:
        config: settings of the pretraining.
        records: its log.
        scores: content of scores.json.
        commit: of the code that made the base.
        content: the base's content hash.
        parameters: number of the model's parameters.
        tokens: number of the tokenizer's tokens.
        note: what else the card should say of how the base was made.
    """
    languages = sorted({LOCALE_FACTS[locale].language for locale in BASE_RECIPE.locales})
    introduction = _INTRODUCTION.format(
        parameters=parameters / 1e6,
        tokens=tokens,
        content=content,
        line_height=LINE_HEIGHT,
        seed=config.seed,
        commit=commit,
        languages=", ".join(languages),
        locales=len(BASE_RECIPE.locales),
        fonts_known=len(BASE_RECIPE.fonts),
        drawn=f"{config.drawn_documents:,}",
        rendered=f"{config.rendered_documents:,}",
        first_weights=_first_weights(config),
        steps=", ".join(f"{steps:,} {_TRAINED[phase]}" for phase, steps in config.phases.items()),
        minutes=records[-1]["minutes"],
        device=records[-1]["device"],
        note=f" {note}" if note else "",
        locale=UNSEEN_LOCALE,
        fonts=", ".join(UNSEEN_FONTS),
        knobs=" and ".join(f"`{knob}`" for knob in UNSEEN_KNOBS),
        scored_seed=scores["seed"],
        light_damage=MAX_LIGHT_DAMAGE,
    )
    return introduction + scores_sections(scores) + _curve_section(records)


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
    """Score the base that `pretrain` wrote, and write scores and card beside it.

    Args:
        out: folder of the base.
        work: work folder of its pretraining.
        config: settings of its pretraining.
        commit: of the code that made it.
        documents: number of documents of each scored slice.
        note: what else the card should say of how the base was made.
        report: called with the name of each slice that is scored.

    Returns:
        The content of scores.json.
    """
    model, processor = load_base(out), load_processor(out)
    pretrained_texts = {line.text for source in ("drawn", "rendered") for line in load_lines(work / source)}
    with torch_threads(config.threads):
        scores = score_base(model, processor.tokenizer, documents, pretrained_texts, report=report)
        scores["documents"] = {
            name: score_documents(str(out), SCORED_SLICES[name], 2 * documents, SCORED_SEED)
            for name in ("clean", "light")
        }
    write_json(out / SCORES, scores)
    text = render_card(
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
