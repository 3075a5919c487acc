"""The model card that lies beside a base: what it is, how it was made, and how well it reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from finscribe_assets.files import write_json, write_text
from finscribe_assets.training import lines as printed
from finscribe_assets.training.base import CARD, SCORES, content_hash, load_base, load_processor
from finscribe_assets.training.base_recipe import HELD_OUT_FONTS, HELD_OUT_KNOBS, HELD_OUT_LOCALE
from finscribe_assets.training.base_scores import score_base
from finscribe_assets.training.pretraining import PretrainConfig, read_log

HEAD = """---
license: apache-2.0
library_name: transformers
pipeline_tag: image-to-text
language: [en, de]
tags: [ocr, paddleocr_vl, synthetic]
---

# FinScribe's embedded base

A model of {parameters:.2f} million parameters that reads one printed line of a financial document, in PaddleOCR-VL's
own architecture (`PaddleOCRVLForConditionalGeneration` of transformers), with a tokenizer of {tokens} characters and
pieces. It exists so that FinScribe's whole loop runs for real without a download and without a GPU. **It is not
PaddleOCR-VL, holds none of its weights, and its scores say nothing about PaddleOCR-VL's.**

- Input: a line's crop, 2 pixels of margin, brought to a height of 28 pixels (`training/images.py`), and the prompt
  `OCR:` in PaddleOCR-VL 1.5's chat format. Output: the text, verbatim; no-break spaces come out as plain ones.
- It knows no whole pages, no tables and no JSON. Its vocabulary has OTSL's tokens, which are untrained.
- Weights: bf16 safetensors. Content: `{content}` (`content_hash` of `training/base.py`).

## How it was made

`finscribe pretrain-base`, seed {seed}, code of commit `{commit}`, from random weights, on synthetic lines alone:
{drawn} documents' texts and random strings drawn directly, {rendered} documents rendered and cut into lines.
Steps: {vision} on the vision tower with the place of every glyph, {language} on the language model, {joint} on
everything; {cpu:.0f} CPU-minutes on one core.

**Left out**, so that an adapter has something to learn: the locale {locale}, the fonts {fonts},
and the knobs {knobs}. French letters occur in random strings only.

## Scores

Exact match on every printed line of rendered documents drawn with another seed ({scored_seed}); 95 % intervals from
resampling documents. Names, streets and wares recur between documents: *new texts* are the lines whose text no
pretraining line had.

| slice | lines | documents | exact match | 95 % interval |
|---|---|---|---|---|
"""

NAMES = {
    "base": "**base recipe**", "locale": f"held out: {HELD_OUT_LOCALE}", "fonts": "held out: fonts",
    "reversed_print": "held out: reversed print", "confusable_identifiers": "held out: confusable identifiers",
    "all_held_out": "all that is held out, together",
}  # fmt: skip


def _row(name: str, share: Mapping[str, Any]) -> str:
    return (f"| {name} | {share['lines']:,} | {share['documents']} | {share['exact_match']:.1%} "
            f"| {share['low']:.1%} to {share['high']:.1%} |\n")  # fmt: skip


def card(config: PretrainConfig, records: Sequence[Mapping[str, Any]], scores: Mapping[str, Any], *, commit: str,
         content: str, parameters: int, tokens: int) -> str:  # fmt: skip
    """Return the card as Markdown, from the pretraining's settings and log, and `base_scores.score_base`'s scores."""
    text = HEAD.format(
        parameters=parameters / 1e6, tokens=tokens, content=content, seed=config.seed, commit=commit,
        drawn=f"{config.drawn_documents:,}", rendered=f"{config.rendered_documents:,}",
        vision=f"{config.vision_steps:,}", language=f"{config.language_steps:,}", joint=f"{config.joint_steps:,}",
        cpu=records[-1]["cpu_minutes"], locale=HELD_OUT_LOCALE, fonts=", ".join(HELD_OUT_FONTS),
        knobs=" and ".join(f"`{knob}`" for knob in HELD_OUT_KNOBS), scored_seed=scores["seed"],
    )  # fmt: skip
    slices = scores["slices"]
    for name, found in slices.items():
        text += _row(NAMES[name], found["overall"])
        if "new_texts" in found:
            text += _row("base recipe, new texts", found["new_texts"])
    text += "\nBy element, on the base recipe and where a held-out knob touches one (of the amounts under reversed "
    text += "print only the amount due is reversed):\n\n"
    text += "| element | lines | documents | exact match | 95 % interval |\n|---|---|---|---|---|\n"
    text += "".join(_row(element, share) for element, share in slices["base"]["elements"].items())
    text += _row("amount, reversed print", slices["reversed_print"]["elements"]["amount"])
    text += _row("identifier, confusable", slices["confusable_identifiers"]["elements"]["identifier"])
    curve = [record for record in records if "exact_match" in record]
    if curve:
        text += "\n## Learning curve\n\nOn documents of the base recipe that were not trained on.\n\n"
        text += "| CPU-minutes | step | phase | exact match |\n|---|---|---|---|\n"
        text += "".join(f"| {record['cpu_minutes']:.1f} | {record['step']:,} | {record['phase']} "
                        f"| {record['exact_match']:.1%} |\n" for record in curve)  # fmt: skip
    return text


def describe_base(out: Path, work: Path, config: PretrainConfig, commit: str, documents: int = 150) -> dict[str, Any]:
    """Score the base that `pretrain` wrote to ``out`` from ``work``, and write scores and card beside it.

    ``commit`` names the code that it was made with. Returns the scores.
    """
    model, processor = load_base(out), load_processor(out)
    known = {line.text for source in ("drawn", "rendered") for line in printed.load(work / source)}
    scores = score_base(model, processor.tokenizer, documents, known)
    write_json(out / SCORES, scores)
    write_text(out / CARD, card(config, read_log(work), scores, commit=commit, content=content_hash(out),
                                parameters=model.num_parameters(), tokens=len(processor.tokenizer)))  # fmt: skip
    return scores
