"""The embedded base's tokenizer: single characters, some longer pieces, and PaddleOCR-VL's chat format."""

from __future__ import annotations

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers
from transformers import PreTrainedTokenizerFast

from finscribe_assets.instructions.pair import OCR_PROMPT, TABLE_PROMPT

PAD_TOKEN, BOS_TOKEN, EOS_TOKEN = "<pad>", "<s>", "</s>"
UNKNOWN_TOKEN, BEGIN_TOKEN = "<unk>", "<|begin_of_sentence|>"
IMAGE_START_TOKEN, IMAGE_TOKEN, IMAGE_END_TOKEN = "<|IMAGE_START|>", "<|IMAGE_PLACEHOLDER|>", "<|IMAGE_END|>"
SPECIAL_TOKENS = (
    PAD_TOKEN,
    BOS_TOKEN,
    EOS_TOKEN,
    UNKNOWN_TOKEN,
    BEGIN_TOKEN,
    IMAGE_START_TOKEN,
    IMAGE_TOKEN,
    IMAGE_END_TOKEN,
)
# One token each: the chat's turns, the stock prompts, OTSL (PaddleX's parser has these six) and JSON's punctuation.
WHOLE_PIECES = (
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
TOKENIZER_CHARACTERS = (
    " \n!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"
    "€£¥₹¢§°ºª²³·№×–—‘’“”„«»…ß"
    "àâäáãåæçèéêëìíîïñòóôöõøùúûüýÿœÀÂÄÁÃÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÖÕØÙÚÛÜÝŸŒ"
    "ąćęłńśźżĄĆĘŁŃŚŹŻčďěňřšťůžČĎĚŇŘŠŤŮŽőűŐŰșțăȘȚĂ"
)
# babel prints these in numbers. On paper they look like any other space, so the tokenizer reads and writes plain ones.
NO_BREAK_SPACES = ("\u00a0", "\u202f")

# The format of PaddleOCR-VL 1.5: a turn's images come before its text; the response starts on a new line after
# "Assistant:".
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
    """Build the tokenizer: one token for each character and for each of WHOLE_PIECES; no-break spaces become plain.

    A token's id is its index in SPECIAL_TOKENS + WHOLE_PIECES + TOKENIZER_CHARACTERS. The shipped checkpoint was
    trained on these ids: whoever changes one of the three has to pretrain a new base.
    """
    tokens = SPECIAL_TOKENS + WHOLE_PIECES + tuple(TOKENIZER_CHARACTERS)
    vocabulary = {token: index for index, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token=UNKNOWN_TOKEN))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Replace(space, " ") for space in NO_BREAK_SPACES])
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL_TOKENS])
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token in WHOLE_PIECES])
    tokenizer.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD_TOKEN,
        bos_token=BOS_TOKEN,
        eos_token=EOS_TOKEN,
        unk_token=UNKNOWN_TOKEN,
        cls_token=BEGIN_TOKEN,
        extra_special_tokens={"image_token": IMAGE_TOKEN},
        padding_side="left",
        clean_up_tokenization_spaces=False,
        chat_template=CHAT_TEMPLATE,
    )
