"""Check what turns a request into tokens: chat template, tokenizer, special tokens and settings of generation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jinja2 import TemplateError
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

from finscribe_assets.diagnosis.json_files import read_object
from finscribe_assets.diagnosis.processor_sizes import image_sizes
from finscribe_assets.diagnosis.traps import TrapFinding

_PLACEHOLDER = "<|IMAGE_PLACEHOLDER|>"
TEMPLATE_FILE = "chat_template.jinja"
_OLD_TEMPLATE_FILE = "chat_template.json"
# Classes that transformers 4 and 5, vLLM and SGLang load.
KNOWN_TOKENIZERS = {"LlamaTokenizer", "LlamaTokenizerFast", "PreTrainedTokenizerFast", "TokenizersBackend"}
# The least and the greatest pixels of an image tell the versions apart, whose architecture is the same.
_VERSIONS_BY_PIXELS = {(147_384, 2_822_400): "1.0", (112_896, 1_003_520): "1.5"}
_ANSWER_BEGINS = {"1.0": "Assistant: ", "1.5": "Assistant:\n"}
_GENERATION_TAGS = re.compile(r"{%-?\s*(?:end)?generation\s*-?%}")
_QUESTION = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "OCR:"}]}]


def check_prompts(folder: Path, config: Mapping[str, Any], base: Path | None) -> Iterator[TrapFinding]:
    """Yield what is wrong with a checkpoint's prompts and tokens.

    Args:
        folder: of the checkpoint.
        config: the content of its config.json.
        base: folder of the checkpoint that it was tuned from, to compare with.
    """
    yield from _check_template(folder, base)
    settings = read_object(folder / "tokenizer_config.json") or {}
    class_ = settings.get("tokenizer_class")
    if class_ is not None and class_ not in KNOWN_TOKENIZERS:
        yield TrapFinding("tokenizer-class", f"{folder / 'tokenizer_config.json'}: tokenizer_class", repr(class_))
    yield from _check_tokens(folder, config)
    yield from _check_generation(folder)


def templates_of(folder: Path) -> dict[str, str]:
    """Return the chat templates of a folder by the file that holds each."""
    found = {}
    if (folder / TEMPLATE_FILE).is_file():
        found[TEMPLATE_FILE] = (folder / TEMPLATE_FILE).read_text(encoding="utf-8")
    for name in ("tokenizer_config.json", _OLD_TEMPLATE_FILE):
        template = (read_object(folder / name) or {}).get("chat_template")
        if isinstance(template, list):  # several named ones, as transformers 4 writes them
            named = {str(item.get("name")): item.get("template") for item in template if isinstance(item, dict)}
            template = named.get("default") or next(iter(named.values()), None)
        if isinstance(template, str):
            found[name] = template
    return found


def answer_begin(template: str) -> str:
    """Return what a template writes before an answer to a question, from the last ``Assistant`` on.

    Raises:
        TemplateError: the template cannot be rendered.
    """
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
    template = _GENERATION_TAGS.sub("", template)  # transformers' own tags, which mark answers and print nothing
    values = {"cls_token": "<|begin_of_sentence|>", "bos_token": "<s>", "eos_token": "</s>", "sep_token": ""}
    prompt = environment.from_string(template).render(messages=_QUESTION, add_generation_prompt=True, **values)
    return prompt[prompt.rfind("Assistant") :] if "Assistant" in prompt else prompt[-40:]


def _check_template(folder: Path, base: Path | None) -> Iterator[TrapFinding]:
    templates = templates_of(folder)
    if not templates:
        yield TrapFinding("template-missing", str(folder / TEMPLATE_FILE), "is not there, nor in tokenizer_config.json")
        return
    begins: dict[str, str] = {}
    for name, template in templates.items():
        try:
            begins[name] = answer_begin(template)
        except (TemplateError, TypeError, ValueError) as error:
            yield TrapFinding("template-version", str(folder / name), f"the template cannot be rendered: {error}")
    if len(set(begins.values())) > 1:
        said = ", ".join(f"{name} {begin!r}" for name, begin in begins.items())
        yield TrapFinding("template-version", str(folder), f"two templates differ in how an answer begins: {said}")
        return
    expected, reason = _expected_begin(folder, base)
    for name, begin in begins.items():
        if expected is not None and begin != expected:
            problem = f"an answer begins with {begin!r}, not {expected!r}{reason}"
            yield TrapFinding("template-version", str(folder / name), problem)


def _expected_begin(folder: Path, base: Path | None) -> tuple[str | None, str]:
    """Return how an answer has to begin, and how that is known."""
    if base is not None:
        for template in templates_of(base).values():
            return answer_begin(template), f" as in the base, {base.name}"
    sizes = image_sizes(folder)
    version = _VERSIONS_BY_PIXELS.get(sizes[1:]) if sizes else None
    if version is None:
        return None, ""
    return _ANSWER_BEGINS[version], f" as in version {version}, whose limits of pixels the folder has"


def _check_tokens(folder: Path, config: Mapping[str, Any]) -> Iterator[TrapFinding]:
    tokenizer = read_object(folder / "tokenizer.json") or {}
    added = {str(token.get("content")): token.get("id") for token in tokenizer.get("added_tokens") or ()}
    vocabulary = (tokenizer.get("model") or {}).get("vocab") or {}
    ids = {**(vocabulary if isinstance(vocabulary, dict) else {}), **added}
    if not ids:
        return
    place = str(folder / "config.json")
    text = {**config, **(config.get("text_config") or {})}
    stated = config.get("image_token_id")
    if stated is not None and stated != ids.get(_PLACEHOLDER):
        problem = f"{stated}, but the tokenizer has {_PLACEHOLDER} as {ids.get(_PLACEHOLDER)}"
        yield TrapFinding("token-ids", f"{place}: image_token_id", problem)
    rows = text.get("vocab_size")
    if isinstance(rows, int) and max(ids.values()) >= rows:
        yield TrapFinding(
            "token-ids", f"{place}: vocab_size", f"{rows}, but the tokenizer has a token {max(ids.values())}"
        )
    end_token = (read_object(folder / "tokenizer_config.json") or {}).get("eos_token")
    end_token = end_token.get("content") if isinstance(end_token, dict) else end_token
    generation = read_object(folder / "generation_config.json") or {}
    ends = generation.get("eos_token_id", text.get("eos_token_id"))
    expected = ids.get(end_token)
    if ends is not None and expected is not None and expected not in (ends if isinstance(ends, list) else [ends]):
        problem = f"{ends}, but the tokenizer has {end_token} as {expected}"
        yield TrapFinding("token-ids", f"{folder}: eos_token_id", problem)


def _check_generation(folder: Path) -> Iterator[TrapFinding]:
    settings = read_object(folder / "generation_config.json") or {}
    place = str(folder / "generation_config.json")
    penalty = settings.get("repetition_penalty")
    if isinstance(penalty, int | float) and penalty != 1:
        yield TrapFinding("generation-settings", f"{place}: repetition_penalty", str(penalty))
    if settings.get("do_sample"):
        yield TrapFinding("generation-settings", f"{place}: do_sample", "true")
