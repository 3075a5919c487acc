"""Constrain generation to JSON: after each token, allow only the tokens that keep the response valid.

What belongs here: the grammars, and the translation of a tokenizer into the bytes of its tokens. No other module
imports llguidance (MIT), which checks the vocabulary against a grammar in native code.
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
from finscribe_assets.schema_mapping.key_writing import structure
from finscribe_assets.schema_mapping.mapping import SchemaMapping

_PRINTED_VALUE = {"type": ["string", "null"]}  # text as printed; null if a requested field is not on the page


@dataclass(frozen=True)
class JsonGrammar:
    """The JSON that a response may be."""

    only_known_keys: bool = False  # only objects with the keys of `document_schema`, in its order; else any object
    mapping: SchemaMapping | None = None  # of a user's keys, which then are the known ones

    def constraint(self, tokenizer: PreTrainedTokenizerFast, rows: int, vocabulary: int) -> JsonConstraint:
        """Return the constraint of a batch of responses.

        Args:
            tokenizer: The model's tokenizer.
            rows: Number of responses in the batch.
            vocabulary: Size of the model's output layer; it may exceed the number of tokens.
        """
        known = user_schema(self.mapping) if self.mapping else document_schema()
        schema = known if self.only_known_keys else {"type": "object"}
        # No free whitespace: under greedy decoding, an unsure model may write spaces without end.
        grammar = LLMatcher.grammar_from_json_schema(
            schema, defaults={"whitespace_flexible": False, "item_separator": ",", "key_separator": ":"}
        )
        return JsonConstraint(_llguidance_tokenizer(tokenizer), grammar, rows, vocabulary)


def document_schema() -> dict[str, Any]:
    """Return the JSON schema of a full extraction: every field of the documents, optional, as printed text."""
    root: dict[str, Any] = {}
    for path in TERMS:
        *groups, leaf = path.split(".")
        node = root
        for group in groups:
            node = node.setdefault(group, {})
        node[leaf] = None
    properties = {name: _schema_of(child) for name, child in root.items()}
    for name in LIST_FIELDS:
        properties[name] = {"type": "array", "items": properties[name]}
    return _object_schema(properties)


def user_schema(mapping: SchemaMapping) -> dict[str, Any]:
    """Return the JSON schema of a user's JSON: every key of a mapping, optional, as text or number."""
    return _schema_of_example(structure(mapping, mapping.labelled_fields))


def _schema_of_example(node: Any) -> dict[str, Any]:
    if isinstance(node, dict):
        return _object_schema({name: _schema_of_example(child) for name, child in node.items()})
    if isinstance(node, list):
        return {"type": "array", "items": _schema_of_example(node[0])}
    return {"type": ["string", "number", "null"]}


def _schema_of(node: dict[str, Any] | None) -> dict[str, Any]:
    if node is None:
        return _PRINTED_VALUE
    return _object_schema({name: _schema_of(child) for name, child in node.items()})


def _object_schema(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


class JsonConstraint:
    """The state of a batch of responses in a grammar; implements `model.decoding.Constraint`."""

    def __init__(self, tokenizer: LLTokenizer, grammar: str, rows: int, vocabulary: int) -> None:
        self._vocabulary = vocabulary
        self._matchers = [LLMatcher(tokenizer, grammar) for _ in range(rows)]
        if problem := self._matchers[0].get_error():
            raise RuntimeError(problem)

    def allowed(self, rows: Sequence[int]) -> Tensor:
        """Return the tokens that may come next in some rows of the batch.

        Args:
            rows: Indices of rows in the batch.

        Returns:
            A mask of shape (len(rows), vocabulary), bool, on the CPU. Once the JSON is complete, only the end token is
            allowed.
        """
        masks = [np.frombuffer(self._matchers[row].compute_bitmask(), dtype=np.uint8) for row in rows]
        bits = np.unpackbits(np.stack(masks), axis=1, bitorder="little")[:, : self._vocabulary].astype(bool)
        allowed = np.zeros((len(rows), self._vocabulary), dtype=bool)  # the output layer may be larger than the mask
        allowed[:, : bits.shape[1]] = bits
        return torch.from_numpy(allowed)

    def advance(self, rows: Sequence[int], tokens: Sequence[int]) -> None:
        """Append one token to each of these rows."""
        for row, token in zip(rows, tokens, strict=True):
            matcher = self._matchers[row]
            if not matcher.is_stopped() and not matcher.consume_token(token):
                raise RuntimeError(matcher.get_error())


class _CharacterTokens:
    """A tokenizer of plain-text tokens in the form that llguidance asks for: the bytes of each token."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        self.eos_token_id, self.bos_token_id = tokenizer.eos_token_id, tokenizer.bos_token_id
        added = tokenizer.added_tokens_decoder
        self.special_token_ids = [token_id for token_id, token in added.items() if token.special]
        self.tokens = [text.encode() for text in tokenizer.convert_ids_to_tokens(range(len(tokenizer)))]
        self._tokenizer = tokenizer

    def __call__(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False).input_ids)


@lru_cache(maxsize=2)
def _llguidance_tokenizer(tokenizer: PreTrainedTokenizerFast) -> LLTokenizer:
    decoder = json.loads(tokenizer.backend_tokenizer.to_str())["decoder"]
    # llguidance reads byte-level and byte-fallback tokenizers itself. The embedded base has neither: plain characters.
    if decoder is None or decoder["type"] == "Fuse":
        return LLTokenizer(TokenizerWrapper(_CharacterTokens(tokenizer)))
    return from_tokenizer(tokenizer)
