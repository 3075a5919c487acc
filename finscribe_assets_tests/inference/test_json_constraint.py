"""Responses constrained to JSON, from models with random weights, whose preferences are arbitrary."""

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
from finscribe_assets.inference.json_constraint import json_constraint
from finscribe_assets.inference.json_grammar import JsonGrammar
from finscribe_assets.inference.reader import ReadRequest
from finscribe_assets.instructions.responses import compact_json, unflatten
from finscribe_assets.model.tokenizer import build_tokenizer

CHARACTERS = build_tokenizer()


def byte_fallback() -> PreTrainedTokenizerFast:
    """Return a tokenizer like the real model's: pieces with ▁ for a space, and bytes for characters without a piece."""
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
        models.BPE({piece: index for index, piece in enumerate(pieces)}, [], unk_token=unknown, byte_fallback=True)
    )
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token=unknown, bos_token=begin, eos_token=end)


def generate(tokenizer, grammar, seed, max_new_tokens=4000):
    """Return the response of a model with random logits, which favours closing marks more and more."""
    random = torch.Generator().manual_seed(seed)
    vocabulary = len(tokenizer) + 7  # output layers are often larger than the vocabulary
    constraint = json_constraint(grammar, tokenizer, 1, vocabulary)
    ids = []
    closing = torch.zeros(vocabulary)
    closing[: len(tokenizer)] = torch.tensor(
        [float(any(mark in tokenizer.decode([token]) for mark in '"}]')) for token in range(len(tokenizer))]
    )
    for step in range(max_new_tokens):
        logits = torch.rand(vocabulary, generator=random) + closing * min(1.0, step / 40)
        logits[tokenizer.eos_token_id] += 2
        token = int(logits.masked_fill(~constraint.allowed([0])[0], -1).argmax())
        constraint.advance([0], [token])
        if token == tokenizer.eos_token_id:
            return tokenizer.decode(ids)
        ids.append(token)
    return None


@pytest.mark.parametrize("tokenizer", [CHARACTERS, byte_fallback()], ids=["characters", "byte fallback"])
@pytest.mark.parametrize("seed", range(6))
def test_a_complete_response_is_a_json_object(tokenizer, seed):
    text = generate(tokenizer, JsonGrammar(), seed)
    assert text is not None
    assert isinstance(json.loads(text), dict), text


def test_keys_are_those_of_the_schema_and_values_are_texts_or_null():
    texts = [generate(CHARACTERS, JsonGrammar(only_known_keys=True), seed) for seed in range(12)]
    values = [item for text in texts for item in flatten(json.loads(text)).items()]
    assert len(values) > 3
    assert {field_of(path) for path, _ in values} <= TERMS.keys()
    assert all(value is None or isinstance(value, str) for _, value in values)


@given(st.data())
@settings(max_examples=8)
def test_every_response_in_the_order_of_the_schema_is_allowed(data):
    """The constraint does not hinder a model that is right."""
    paths = [
        path.replace(".", "[0].", 1) if path.startswith(("lines.", "vat_breakdown.")) else path
        for path in TERMS
        if not path.startswith(("allowances.", "charges.", "entries.", "page_subtotals."))
    ]
    chosen = sorted(data.draw(st.lists(st.sampled_from(paths), unique=True, max_size=8)), key=paths.index)
    letters = st.text('abc 1.,€"\\é{}', max_size=6)
    text = compact_json(unflatten({path: data.draw(letters) for path in chosen}))
    constraint = json_constraint(JsonGrammar(only_known_keys=True), CHARACTERS, 1, len(CHARACTERS))
    for token in [*CHARACTERS(text, add_special_tokens=False).input_ids, CHARACTERS.eos_token_id]:
        assert constraint.allowed([0])[0, token], text
        constraint.advance([0], [token])


def test_a_reader_with_a_grammar_returns_json_or_a_truncated_response(page_reader):
    gradient = Image.linear_gradient("L")
    requests = [ReadRequest((gradient.resize(size),), "JSON:") for size in ((150, 120), (120, 160), (90, 90))]
    for max_new_tokens in (3, 60):
        free = page_reader.read(requests, max_new_tokens=max_new_tokens)
        for grammar in (JsonGrammar(), JsonGrammar(only_known_keys=True)):
            constrained = page_reader.read(requests, max_new_tokens=max_new_tokens, grammar=grammar)
            for decoded in constrained:
                assert decoded.text.startswith("{")
                assert decoded.truncated or isinstance(json.loads(decoded.text), dict)
                assert len(decoded.probabilities) == len(decoded.tokens)
            # The probability of a forced token is the model's own: below that of the token that it would have chosen.
            assert constrained[0].probabilities[0] <= free[0].probabilities[0]
    assert not any(decoded.truncated for decoded in constrained), "with the schema's keys, 60 tokens are enough"
