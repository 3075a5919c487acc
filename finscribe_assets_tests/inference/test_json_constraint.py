"""Answers held to JSON, from models with random weights: whatever a model wants to say."""

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tokenizers import Tokenizer, decoders, models
from transformers import PreTrainedTokenizerFast

from finscribe_assets.documents.elements import TERMS, field_of
from finscribe_assets.documents.schema import flatten
from finscribe_assets.inference.json_constraint import JsonGrammar
from finscribe_assets.inference.reader import ReadRequest
from finscribe_assets.instructions.responses import compact_json, unflatten
from finscribe_assets.model.tokenizer import build_tokenizer

CHARACTERS = build_tokenizer()


def byte_fallback() -> PreTrainedTokenizerFast:
    """A tokenizer of the real model's kind: pieces with ▁ for a space, and bytes for what has no piece."""
    pieces = [
        "<unk>",
        "<s>",
        "</s>",
        *(f"<0x{byte:02X}>" for byte in range(256)),
        "▁",
        *map(chr, range(33, 127)),
        '{"',
        '":"',
        '","',
        '"}',
        "null",
    ]
    unknown, begin, end = pieces[:3]
    tokenizer = Tokenizer(
        models.BPE({piece: place for place, piece in enumerate(pieces)}, [], unk_token=unknown, byte_fallback=True)
    )
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token=unknown, bos_token=begin, eos_token=end)


def written(tokenizer, grammar, seed, length=4000):
    """What a model writes that likes all tokens, and the end more and more."""
    random = torch.Generator().manual_seed(seed)
    vocabulary = len(tokenizer) + 7  # as models have it, a few places more than tokens
    constraint = grammar.constraint(tokenizer, 1, vocabulary)
    ids = []
    closing = torch.zeros(vocabulary)
    closing[: len(tokenizer)] = torch.tensor(
        [float(any(mark in tokenizer.decode([place]) for mark in '"}]')) for place in range(len(tokenizer))]
    )
    for step in range(length):
        likes = torch.rand(vocabulary, generator=random) + closing * min(1.0, step / 40)
        likes[tokenizer.eos_token_id] += 2
        token = int(likes.masked_fill(~constraint.allowed([0])[0], -1).argmax())
        constraint.advance([0], [token])
        if token == tokenizer.eos_token_id:
            return tokenizer.decode(ids)
        ids.append(token)
    return None


@pytest.mark.parametrize("tokenizer", [CHARACTERS, byte_fallback()], ids=["characters", "byte fallback"])
@pytest.mark.parametrize("seed", range(6))
def test_what_ends_is_a_json_object(tokenizer, seed):
    text = written(tokenizer, JsonGrammar(), seed)
    assert text is not None
    assert isinstance(json.loads(text), dict), text


@pytest.mark.parametrize("seed", range(6))
def test_keys_are_the_schemas(seed):
    text = written(CHARACTERS, JsonGrammar(only_known_keys=True), seed)
    assert text is not None
    leaves = flatten(json.loads(text))
    assert {field_of(path) for path in leaves} <= TERMS.keys()
    assert all(value is None or isinstance(value, str) for value in leaves.values())


@given(st.data())
@settings(max_examples=8)
def test_every_answer_of_the_schemas_order_can_be_written(data):
    """The constraint takes nothing from a model that is right."""
    paths = [
        path.replace(".", "[0].", 1) if path.startswith(("lines.", "vat_breakdown.")) else path
        for path in TERMS
        if not path.startswith(("allowances.", "charges.", "entries.", "page_subtotals."))
    ]
    chosen = sorted(data.draw(st.lists(st.sampled_from(paths), unique=True, max_size=8)), key=paths.index)
    letters = st.text('abc 1.,€"\\é{}', max_size=6)
    text = compact_json(unflatten({path: data.draw(letters) for path in chosen}))
    constraint = JsonGrammar(only_known_keys=True).constraint(CHARACTERS, 1, len(CHARACTERS))
    for token in [*CHARACTERS(text, add_special_tokens=False).input_ids, CHARACTERS.eos_token_id]:
        assert constraint.allowed([0])[0, token], text
        constraint.advance([0], [token])


def test_a_reader_with_a_grammar_writes_json_or_says_that_it_was_cut_off(page_reader):
    gradient = Image.linear_gradient("L")
    requests = [ReadRequest((gradient.resize(size),), "JSON:") for size in ((150, 120), (120, 160), (90, 90))]
    for longest in (3, 60):
        free = page_reader.read(requests, max_new_tokens=longest)
        held = page_reader.read(requests, max_new_tokens=longest, grammar=JsonGrammar())
        for reading in held:
            assert reading.text.startswith("{")
            assert reading.truncated or isinstance(json.loads(reading.text), dict)
            assert len(reading.probabilities) == len(reading.tokens)
        # The probabilities are the model's own, so that it shows what it would not have said by itself.
        assert held[0].probabilities[0] <= free[0].probabilities[0]
