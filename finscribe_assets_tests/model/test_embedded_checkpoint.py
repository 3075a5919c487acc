"""The checkpoint that is shipped: that plain transformers loads it, that it reads, and that its card is about it."""

import json
import runpy
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor
from transformers.utils import logging

from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.instructions.pair import OCR_PROMPT, TABLE_PROMPT
from finscribe_assets.model import embedded_checkpoint
from finscribe_assets.model.decoding import read_lines
from finscribe_assets.model.embedded_checkpoint import (
    BASE_FOLDER,
    CARD,
    SCORES,
    content_hash,
    load_base,
    load_processor,
)
from finscribe_assets.model.tokenizer import build_tokenizer
from finscribe_assets.pretraining.base_recipe import BASE_RECIPE, SCORED_SLICES
from finscribe_assets.pretraining.line_corpus import line_cutter
from finscribe_assets.pretraining.model_card import scores_sections
from finscribe_assets.pretraining.table_scores import MAX_TABLE_ROWS, ReadTable, score_tables


@pytest.fixture(scope="module")
def lines():
    plan = seed_plan("batch-000", 10, 424242, BASE_RECIPE)
    found = [line for index in range(10) for line in line_cutter(plan, index).field_lines()]
    return found[:: len(found) // 100][:100]


def test_the_base_reads_rendered_lines(lines):
    readings = read_lines(load_base(), load_processor().tokenizer, [line.pixels for line in lines])
    right = sum(reading.text == line.text for reading, line in zip(readings, lines, strict=True))
    assert len(lines) == 100
    assert right >= 80


def test_the_base_reads_tables_line_by_line():
    tokenizer, model = load_processor().tokenizer, load_base()
    plan = seed_plan("batch-000", 12, 424243, BASE_RECIPE)
    tables = [
        table for index in range(12) for table in line_cutter(plan, index).tables() if len(table.grid) <= MAX_TABLE_ROWS
    ]
    strips = [strip for table in tables for strip in table.strips]
    read = iter(reading.text for reading in read_lines(model, tokenizer, strips, TABLE_PROMPT))
    scores = score_tables(
        [ReadTable(index, table, tuple(next(read) for _ in table.strips)) for index, table in enumerate(tables)]
    )
    assert scores["tables"] >= 5
    assert scores["teds"] >= 0.8
    assert scores["cell_accuracy"] >= 0.6


def test_plain_transformers_loads_it_and_reads_the_same(lines):
    """The oracle of the quick path: the automatic classes, the chat template and ``generate``."""
    processor = AutoProcessor.from_pretrained(BASE_FOLDER)
    model = AutoModelForImageTextToText.from_pretrained(BASE_FOLDER, dtype=torch.float32).eval()
    chosen = lines[::10]
    theirs, chances = [], []
    for line in chosen:
        turn = {
            "role": "user",
            "content": [
                {"type": "image", "image": Image.fromarray(line.pixels).convert("RGB")},
                {"type": "text", "text": OCR_PROMPT},
            ],
        }
        inputs = processor.apply_chat_template(
            [[turn]], tokenize=True, return_dict=True, return_tensors="pt", add_generation_prompt=True
        )
        out = model.generate(
            **inputs, max_new_tokens=96, do_sample=False, output_scores=True, return_dict_in_generate=True
        )
        tokens = out.sequences[0, inputs["input_ids"].shape[1] :]
        theirs.append(processor.decode(tokens, skip_special_tokens=True))
        chances.append([scores[0].softmax(-1)[token].item() for scores, token in zip(out.scores, tokens, strict=True)])
    ours = read_lines(load_base(), build_tokenizer(), [line.pixels for line in chosen])
    assert [reading.text for reading in ours] == theirs
    for reading, wanted in zip(ours, chances, strict=True):
        assert np.allclose(reading.probabilities, wanted, atol=1e-3)


def test_importing_and_loading_leave_transformers_log_level_and_progress_bars_as_they_were(capfd):
    level, hook = logging.get_verbosity(), logging.set_tqdm_hook(None)
    try:
        logging.set_verbosity_info()
        module = runpy.run_path(embedded_checkpoint.__file__)  # imports it anew
        module["load_base"](), module["load_processor"]()
        assert logging.get_verbosity() == logging.INFO
        assert logging.is_progress_bar_enabled()
        assert logging.set_tqdm_hook(None) is None
        assert capfd.readouterr().err == "", "a base is loaded without bars and warnings"
    finally:
        logging.set_verbosity(level)
        logging.set_tqdm_hook(hook)


def test_the_checkpoint_is_small_whole_and_free_of_pickles():
    assert {file.suffix for file in BASE_FOLDER.iterdir()} <= {".safetensors", ".json", ".jinja", ".md"}
    assert sum(file.stat().st_size for file in BASE_FOLDER.iterdir()) < 6_000_000
    assert load_base().num_parameters() < 2_500_000


def test_the_shipped_tokenizer_is_the_codes():
    shipped, built = load_processor().tokenizer, build_tokenizer()
    assert shipped.get_vocab() == built.get_vocab()
    assert shipped.chat_template == built.chat_template
    assert shipped("1\u202f234,50\u00a0€").input_ids == built("1 234,50 €").input_ids


def test_the_card_and_the_scores_are_about_these_weights():
    card, scores = (BASE_FOLDER / CARD).read_text(), json.loads((BASE_FOLDER / SCORES).read_text())
    assert content_hash() in card
    assert scores_sections(scores) in card
    assert set(scores["slices"]) == set(SCORED_SLICES)
    overall = scores["slices"]["base"]["overall"]
    assert overall["lines"] >= 1000
    assert overall["exact_match"] >= 0.85
    assert f"{overall['exact_match']:.1%}" in card
    tables = scores["slices"]["clean"]["tables"]
    assert f"{tables['teds']:.3f}" in card
    assert tables["teds"] > tables["floor"] + 0.3, "a table of the same size says little"
    assert scores["slices"]["clean"]["blocks"]["key_f1"] >= 0.8
    assert scores["slices"]["all_held_out"]["overall"]["high"] < overall["low"], "an adapter has something to learn"


def test_the_content_hash_is_of_what_loading_reads(tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(BASE_FOLDER, copy)
    assert content_hash(copy) == content_hash()
    (copy / CARD).write_text("another card")
    assert content_hash(copy) == content_hash()
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x7f")
    assert content_hash(copy) != content_hash()


def test_a_folder_without_a_checkpoint_is_refused_with_the_mend(tmp_path):
    for load in (load_base, load_processor, content_hash):
        with pytest.raises(FileNotFoundError, match="finscribe pretrain-base"):
            load(tmp_path)
