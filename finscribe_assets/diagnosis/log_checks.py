"""Find known messages in the logs of trainers and servers: what people paste into their reports."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from finscribe_assets.diagnosis.traps import TrapFinding

MAX_LINE = 300  # characters of a line that are shown
_MESSAGES = [
    (trap, re.compile(pattern, re.IGNORECASE))
    for trap, pattern in (
        (
            "adapter-as-checkpoint",
            r"does not support LoRA|LoRA is not supported|adapter_config\.json.*not.*config\.json",
        ),
        ("image-placeholders", r"image features and image tokens do not match|number of image tokens"),
        ("packing-position-embedding", r"packing_position_embedding"),
        ("tensors-missing", r"weights? (?:were|was) not initiali[sz]ed|newly initialized|missing key"),
        ("tokenizer-class", r"tokenizer class .*(?:does not exist|not.*import|is not)|tokenizer_class"),
        ("not-this-model", r"model architectures? .* (?:is|are) not supported|does not recognize this architecture"),
        ("loss-not-finite", r"\bloss\b\W{0,4}(?:nan|inf)\b|grad_norm\W{0,4}(?:nan|inf)\b"),
        ("out-of-memory", r"out of memory|OutOfMemoryError|Cannot allocate memory|oom-kill"),
        (
            "tool-version",
            r"save_model\(\) takes from 1 to 2 positional|No module named '?(?:erniekit|paddleformers|paddleocr_vl)"
            r"|template .*(?:not (?:found|registered|supported)|unknown)",
        ),
        ("sample-too-long", r"exceeds? (?:the )?max(?:imum)?[_ ](?:seq(?:uence)?[_ ])?len|is longer than .*max_length"),
        (
            "picture-unreadable",
            r"cannot identify image file|image file is truncated|No such file.*\.(?:png|jpe?g|webp)",
        ),
    )
]


def trap_of_message(message: str) -> str | None:
    """Return the trap that a message of a tool is known for; None if it is not known."""
    return next((trap for trap, pattern in _MESSAGES if pattern.search(message)), None)


def check_log(file: Path) -> Iterator[TrapFinding]:
    """Yield the first line of a log for each trap that its messages name."""
    named: set[str] = set()
    with file.open(encoding="utf-8", errors="replace") as stream:
        for number, line in enumerate(stream, 1):
            trap = trap_of_message(line)
            if trap is not None and trap not in named:
                named.add(trap)
                yield TrapFinding(trap, f"{file}: line {number}", line.strip()[:MAX_LINE])
