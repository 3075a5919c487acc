"""The embedded base's tokenizer: characters, the prompts' own pieces, and PaddleOCR-VL's chat format."""

from __future__ import annotations

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers
from transformers import PreTrainedTokenizerFast

from finscribe_assets.instructions.pair import OCR_PROMPT, TABLE_PROMPT

PAD, BOS, EOS, UNKNOWN, BEGIN = "<pad>", "<s>", "</s>", "<unk>", "<|begin_of_sentence|>"
IMAGE_START, IMAGE, IMAGE_END = "<|IMAGE_START|>", "<|IMAGE_PLACEHOLDER|>", "<|IMAGE_END|>"
SPECIAL = (PAD, BOS, EOS, UNKNOWN, BEGIN, IMAGE_START, IMAGE, IMAGE_END)
# Whole pieces: the chat's turns, the stock prompts, OTSL (as in PaddleX's parser) and JSON's punctuation.
PIECES = (
    "User: ",
    "\nAssistant:\n",
    OCR_PROMPT,
    TABLE_PROMPT,
    "JSON:",
    "<fcel>",
    "<ecel>",
    "<lcel>",
    "<ucel>",
    "<xcel>",
    "<nl>",
    '{"',
    '": "',
    '", "',
    '"}',
)
CHARACTERS = (
    " \n!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"
    "€£¥₹¢§°ºª²³·№×–—‘’“”„«»…ß"
    "àâäáãåæçèéêëìíîïñòóôöõøùúûüýÿœÀÂÄÁÃÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÖÕØÙÚÛÜÝŸŒ"
    "ąćęłńśźżĄĆĘŁŃŚŹŻčďěňřšťůžČĎĚŇŘŠŤŮŽőűŐŰșțăȘȚĂ"
)
NO_BREAK_SPACES = ("\u00a0", "\u202f")  # babel prints them in numbers; on paper they look like any other space

# PaddleOCR-VL 1.5's format: images of a turn first, and the answer after "Assistant:" on a line of its own.
CHAT_TEMPLATE = (
    "{{- '<|begin_of_sentence|>' -}}"
    "{%- for message in messages -%}"
    "{%- if message['role'] == 'user' -%}{{- 'User: ' -}}{%- else -%}{{- '\\nAssistant:\\n' -}}{%- endif -%}"
    "{%- if message['content'] is string -%}{{- message['content'] -}}{%- else -%}"
    "{%- for part in message['content'] -%}{%- if part['type'] == 'image' -%}"
    "{{- '<|IMAGE_START|><|IMAGE_PLACEHOLDER|><|IMAGE_END|>' -}}{%- endif -%}{%- endfor -%}"
    "{%- for part in message['content'] -%}{%- if part['type'] == 'text' -%}"
    "{{- part['text'] -}}{%- endif -%}{%- endfor -%}"
    "{%- endif -%}"
    "{%- if message['role'] == 'assistant' -%}{{- '</s>' -}}{%- endif -%}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '\\nAssistant:\\n' -}}{%- endif -%}"
)


def build_tokenizer() -> PreTrainedTokenizerFast:
    """Return the tokenizer: a token a character, but for `PIECES`; no-break spaces become plain ones."""
    vocabulary = {token: number for number, token in enumerate(SPECIAL + PIECES + tuple(CHARACTERS))}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Replace(space, " ") for space in NO_BREAK_SPACES])
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL])
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token in PIECES])
    tokenizer.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        bos_token=BOS,
        eos_token=EOS,
        unk_token=UNKNOWN,
        cls_token=BEGIN,
        extra_special_tokens={"image_token": IMAGE},
        padding_side="left",
        clean_up_tokenization_spaces=False,
        chat_template=CHAT_TEMPLATE,
    )
