"""Constrain generation to JSON: after each token, allow only the tokens that keep the response valid.

What belongs here: constraints of a model in this process, and the translation of a tokenizer into the bytes of its
tokens. Which JSON is allowed is in `json_grammar`. No other module imports llguidance (MIT), which checks the
vocabulary against a grammar in native code.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from llguidance import LLMatcher, LLTokenizer, TokenizerWrapper
from llguidance.hf import from_tokenizer
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from finscribe_assets.inference.json_grammar import JsonGrammar


def json_constraint(
    grammar: JsonGrammar, tokenizer: PreTrainedTokenizerFast, rows: int, vocabulary: int
) -> JsonConstraint:
    """Return the constraint of a batch of responses.

    Args:
        grammar: The JSON that responses may be.
        tokenizer: The model's tokenizer.
        rows: Number of responses in the batch.
        vocabulary: Size of the model's output layer; it may exceed the number of tokens.
    """
    # No free whitespace: under greedy decoding, an unsure model may write spaces without end.
    rules = LLMatcher.grammar_from_json_schema(
        grammar.schema, defaults={"whitespace_flexible": False, "item_separator": ",", "key_separator": ":"}
    )
    return JsonConstraint(_llguidance_tokenizer(tokenizer), rules, rows, vocabulary)


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
