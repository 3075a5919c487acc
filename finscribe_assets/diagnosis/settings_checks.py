"""Check the settings of a training: this package's, PaddleFormers', ERNIEKit's, LLaMA-Factory's and ms-swift's."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from finscribe_assets.diagnosis.processor_sizes import MIN_PAGE_PIXELS
from finscribe_assets.diagnosis.traps import TrapFinding
from finscribe_assets.model.base_names import EMBEDDED
from finscribe_assets.training.adapter_config import AdapterConfig, ConfigurationError, load_config

# The names of one setting in the tools; the first one that a file has counts.
_RATE = ("learning_rate",)
_LOWEST_RATE = ("final_learning_rate", "min_lr", "min_learning_rate")
_LENGTH = ("max_seq_len", "max_seq_length", "max_length", "cutoff_len", "max_tokens")
_PIXELS = ("max_pixels", "image_max_pixels", "MAX_PIXELS")
_MODEL = ("model_name_or_path", "model", "base")
_TEMPLATE = ("template", "model_type")
_FULL = ("fine_tuning", "finetuning_type", "train_type", "tuner_type", "stage")

LORA_RATES, FULL_RATES = (1e-5, 5e-4), (1e-6, 2e-5)  # published: presets/paddleformers-*.yaml and their rivals
_DEFAULT_PIXELS = 1_003_520
_SHORTEST_ANSWER = 512  # tokens that must fit beside a page
_PIXELS_PER_TOKEN = 28 * 28
SHELL_SUFFIX = ".sh"
_STATED = re.compile(r"(?:--)?(\w+)=(.*)", re.DOTALL)
_OPTION = re.compile(r"--(\w+)$")
_NEW_VERSION = re.compile(r"(?:v|vl[-_.]?)?1[._]?[56](?!\d)", re.IGNORECASE)


def check_settings(file: Path) -> Iterator[TrapFinding]:
    """Yield what is wrong with a file of training settings: YAML, JSON, or a shell script that starts a training."""
    try:
        text = file.read_text(encoding="utf-8")
        settings = shell_settings(text) if file.suffix.lower() == SHELL_SUFFIX else yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:  # ValueError as of a quotation without its end, and of other bytes
        yield TrapFinding("settings-invalid", str(file), f"cannot be read: {error}")
        return
    if not isinstance(settings, dict):
        yield TrapFinding("settings-invalid", str(file), "holds no settings, one `name: value` on each line")
        return
    if _is_ours(settings):
        try:
            settings = load_config(file).model_dump()
        except ConfigurationError as error:
            for problem in str(error).splitlines():
                yield TrapFinding("settings-invalid", str(file), problem.removeprefix(f"{file}: "))
            return
        if settings["base"] == EMBEDDED:
            return  # a base of 2 million parameters that reads lines has rates and lengths of its own
    yield from _check_rates(file, settings)
    yield from _check_lengths(file, settings)
    yield from _check_type(file, settings)
    yield from _check_template(file, settings)


def shell_settings(script: str) -> dict[str, Any]:
    """Return the settings that a shell script states, as ms-swift is started: ``NAME=value`` and ``--name value``.

    Raises:
        ValueError: A quotation has no end.
    """
    settings: dict[str, Any] = {}
    words = shlex.split(script.replace("\\\n", " "), comments=True)
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if match := _STATED.match(word):
            settings[match[1]] = _yaml_value(match[2])
        elif match := _OPTION.match(word):
            settings[match[1]] = True if following.startswith("--") else _yaml_value(following)
    return settings


def _yaml_value(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def _is_ours(settings: Mapping[str, Any]) -> bool:
    """Return whether most settings are known to this package, so that a misspelt one is still an error."""
    known = settings.keys() & AdapterConfig.model_fields.keys()
    return not settings.keys() & {"model_name_or_path", "model"} and len(known) * 2 >= len(settings)


def _first(settings: Mapping[str, Any], names: tuple[str, ...]) -> tuple[str, Any]:
    return next(((name, settings[name]) for name in names if settings.get(name) is not None), (names[0], None))


def _number(value: Any) -> float | None:
    """Return a number; YAML reads 5e-4 as a text."""
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


def _check_rates(file: Path, settings: Mapping[str, Any]) -> Iterator[TrapFinding]:
    name, value = _first(settings, _RATE)
    rate = _number(value)
    if rate is None:
        return
    full = "full" in str(_first(settings, _FULL)[1]).lower()
    low, high = FULL_RATES if full else LORA_RATES
    if not low <= rate <= high:
        what = "all weights" if full else "LoRA"
        yield TrapFinding("learning-rate", f"{file}: {name}", f"{rate:g}; published for {what}: {low:g} to {high:g}")
    name, value = _first(settings, _LOWEST_RATE)
    lowest = _number(value)
    if lowest is not None and lowest > rate:
        yield TrapFinding("lowest-rate", f"{file}: {name}", f"{lowest:g}, above learning_rate ({rate:g})")


def _check_lengths(file: Path, settings: Mapping[str, Any]) -> Iterator[TrapFinding]:
    pixels_name, value = _first(settings, _PIXELS)
    pixels = _number(value)
    if pixels is not None and pixels < MIN_PAGE_PIXELS:
        yield TrapFinding("image-budget", f"{file}: {pixels_name}", f"{int(pixels):,} pixels for a page")
    name, value = _first(settings, _LENGTH)
    length = _number(value)
    needed = (pixels or _DEFAULT_PIXELS) / _PIXELS_PER_TOKEN + _SHORTEST_ANSWER
    if length is not None and length < needed:
        yield TrapFinding(
            "length-limit",
            f"{file}: {name}",
            f"{int(length):,} tokens; a page of {int(pixels or _DEFAULT_PIXELS):,} pixels and a short answer have "
            f"{int(needed):,}",
        )


def _check_type(file: Path, settings: Mapping[str, Any]) -> Iterator[TrapFinding]:
    if settings.get("fp16") is True:
        yield TrapFinding("float16", f"{file}: fp16", "true", "set bf16 instead")
    for name in ("dtype", "torch_dtype", "compute_type"):
        if str(settings.get(name)).lower() in ("float16", "fp16", "half"):
            yield TrapFinding("float16", f"{file}: {name}", str(settings[name]), "set bfloat16 instead")


def _check_template(file: Path, settings: Mapping[str, Any]) -> Iterator[TrapFinding]:
    name, template = _first(settings, _TEMPLATE)
    _, model = _first(settings, _MODEL)
    if not template or not model or "ocr" not in str(template).lower() or settings.get("template_backend") == "custom":
        return
    model_is_new = bool(_NEW_VERSION.search(str(model).rstrip("/").rsplit("/", 1)[-1]))
    if model_is_new != bool(_NEW_VERSION.search(str(template))):
        yield TrapFinding("template-setting", f"{file}: {name}", f"{template!r} for the model {model}")
