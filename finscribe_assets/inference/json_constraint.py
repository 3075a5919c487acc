"""Answers that can only be JSON: after each token, which ones may follow.

The only module that imports llguidance (MIT), which walks the vocabulary against a grammar in native code. What belongs
here: which grammar, and how a tokenizer's tokens become its bytes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from llguidance import LLMatcher, LLTokenizer, TokenizerWrapper
from llguidance.hf import from_tokenizer
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from finscribe_assets.documents.elements import LIST_FIELDS, TERMS

_PRINTED = {"type": ["string", "null"]}  # a value as it is printed; null where a schema asks for what is not there


@dataclass(frozen=True)
class JsonGrammar:
    """What an answer may be: any JSON object, or one whose keys are the schema's, in its order."""

    only_known_keys: bool = False

    def constraint(self, tokenizer: PreTrainedTokenizerFast, rows: int, vocabulary: int) -> JsonConstraint:
        """Return the constraint of a batch of so many answers, over the model's whole vocabulary."""
        schema = document_schema() if self.only_known_keys else {"type": "object"}
        # No free whitespace: a greedy model that is unsure may write spaces without end.
        grammar = LLMatcher.grammar_from_json_schema(
            schema,
            defaults={
                "whitespace_flexible": False,
                "item_separator": ",",
                "key_separator": ":",
            },
        )
        return JsonConstraint(_tokens_of(tokenizer), grammar, rows, vocabulary)


def document_schema() -> dict[str, Any]:
    """Return the JSON schema of a full extraction: the schema's fields as printed text, each of which may be absent."""
    root: dict[str, Any] = {}
    for path in TERMS:
        *groups, leaf = path.split(".")
        node = root
        for group in groups:
            node = node.setdefault(group, {})
        node[leaf] = None
    described = {name: _described(child) for name, child in root.items()}
    for name in LIST_FIELDS:
        described[name] = {"type": "array", "items": described[name]}
    return _object(described)


def _described(node: dict[str, Any] | None) -> dict[str, Any]:
    return _PRINTED if node is None else _object({name: _described(child) for name, child in node.items()})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


class JsonConstraint:
    """A batch's answers on their way; a `model.decoding.Constraint`."""

    def __init__(self, tokens: LLTokenizer, grammar: str, rows: int, vocabulary: int) -> None:
        self._vocabulary = vocabulary
        self._answers = [LLMatcher(tokens, grammar) for _ in range(rows)]
        if problem := self._answers[0].get_error():
            raise RuntimeError(problem)

    def allowed(self, rows: Sequence[int]) -> Tensor:
        """Return which tokens may come next (rows × vocabulary, bool); after the end, the end token alone."""
        masks = [np.frombuffer(self._answers[row].compute_bitmask(), dtype=np.uint8) for row in rows]
        bits = np.unpackbits(np.stack(masks), axis=1, bitorder="little")[:, : self._vocabulary].astype(bool)
        whole = np.zeros((len(rows), self._vocabulary), dtype=bool)  # a model may have more places than tokens
        whole[:, : bits.shape[1]] = bits
        return torch.from_numpy(whole)

    def advance(self, rows: Sequence[int], tokens: Sequence[int]) -> None:
        """Append one token to each of these rows."""
        for row, token in zip(rows, tokens, strict=True):
            answer = self._answers[row]
            if not answer.is_stopped() and not answer.consume_token(token):
                raise RuntimeError(answer.get_error())


class _CharacterTokens:
    """A tokenizer whose tokens are plain text, as llguidance wants it: each token's bytes."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        self.eos_token_id, self.bos_token_id = tokenizer.eos_token_id, tokenizer.bos_token_id
        added = tokenizer.added_tokens_decoder
        self.special_token_ids = [number for number, token in added.items() if token.special]
        self.tokens = [text.encode() for text in tokenizer.convert_ids_to_tokens(range(len(tokenizer)))]
        self._tokenizer = tokenizer

    def __call__(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False).input_ids)


@lru_cache(maxsize=2)
def _tokens_of(tokenizer: PreTrainedTokenizerFast) -> LLTokenizer:
    decoder = json.loads(tokenizer.backend_tokenizer.to_str())["decoder"]
    if decoder is None or decoder["type"] == "Fuse":  # the embedded bases'; llguidance knows bytes and byte fallback
        return LLTokenizer(TokenizerWrapper(_CharacterTokens(tokenizer)))
    return from_tokenizer(tokenizer)
