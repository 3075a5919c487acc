"""The catalogue of traps: what each does to people, the reports of those who met it, and the mend.

docs/doctor.md lists the same traps; a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"  # training or serving fails, or the result is worthless
    WARNING = "warning"  # people have lost quality or time by it


@dataclass(frozen=True)
class Trap:
    """A way in which fine-tuning or serving this model goes wrong.

    Attributes:
        severity: of its findings.
        why: why it hurts.
        reports: public reports, as OWNER/REPOSITORY#NUMBER.
        mend: what to do.
    """

    severity: Severity
    why: str
    mend: str
    reports: tuple[str, ...] = ()

    @property
    def links(self) -> list[str]:
        """Return the addresses of the reports."""
        return [f"https://github.com/{name}/issues/{number}" for name, number in _split(self.reports)]


def _split(reports: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(name, number) for name, _, number in (report.partition("#") for report in reports)]


_OCR, _ERNIE, _FORMERS = "PaddlePaddle/PaddleOCR#", "PaddlePaddle/ERNIE#", "PaddlePaddle/PaddleFormers#"
_SWIFT = "modelscope/ms-swift#"
_E, _W = Severity.ERROR, Severity.WARNING

TRAPS: dict[str, Trap] = {
    # Checkpoints
    "files-missing": Trap(
        _E, "loaders fail, or take defaults of another model", "copy the file from the base", (f"{_SWIFT}7268",)
    ),
    "not-this-model": Trap(
        _E,
        "no loader knows the architecture, or a loader takes it for another model",
        "copy config.json from the base, and change nothing but dtype",
        ("PaddlePaddle/FastDeploy#5525", "PaddlePaddle/PaddleX#5011"),
    ),
    "code-missing": Trap(
        _E,
        "loaders that run the repository's code look for it in this folder and fail",
        "copy the files from the base, or remove auto_map where the loader knows the model itself",
        (f"{_SWIFT}7268",),
    ),
    "template-missing": Trap(
        _E, "each loader makes up a prompt of its own", "copy chat_template.jinja from the base", (f"{_OCR}17589",)
    ),
    "template-version": Trap(
        _E,
        "1.0 writes `Assistant: `, 1.5 and 1.6 `Assistant:` and a line end: a model that is asked in the other form "
        "hallucinates, worse than untuned",
        "take chat_template.jinja from the base that was trained",
        (f"{_OCR}17589", f"{_ERNIE}1442", "unslothai/unsloth#6661"),
    ),
    "tokenizer-class": Trap(
        _E,
        "servers refuse tokenizers whose class they do not know",
        "copy tokenizer_config.json from the base",
        (f"{_ERNIE}1349",),
    ),
    "token-ids": Trap(
        _E,
        "images are not put where the model looks for them (`Image features and image tokens do not match`), or the "
        "answer does not end",
        "copy config.json, generation_config.json and the tokenizer's files from the same base",
        (f"{_OCR}16931", f"{_OCR}17903"),
    ),
    "packing-position-embedding": Trap(
        _E,
        "vLLM wants the tensor, although nothing reads it, and refuses: weights not initialised",
        "copy visual.vision_model.embeddings.packing_position_embedding.weight from the base's weights, or merge with "
        "`finscribe merge`, which keeps it",
        (f"{_FORMERS}3680",),
    ),
    "tensors-missing": Trap(
        _E,
        "loaders draw missing weights at random, some with a warning that nobody reads",
        "export again, or copy the tensors from the base",
        (f"{_FORMERS}3680", "zai-org/GLM-OCR#109"),
    ),
    "weights-incomplete": Trap(_E, "the file was cut off while it was copied or written", "copy or export it again"),
    "tied-head": Trap(
        _E,
        "a head that is tied to the embeddings but was saved apart is ignored by some loaders and read by others, so "
        "that two servers read differently",
        "set tie_word_embeddings as in the base, and export both tensors again",
    ),
    "weights-not-finite": Trap(
        _E, "every answer is empty or noise", "take an earlier checkpoint; train in bfloat16", (f"{_ERNIE}1429",)
    ),
    "float16": Trap(
        _W,
        "the model was trained in bfloat16; float16 overflows beyond 65504, to NaN and doubled characters",
        "store and serve it in bfloat16, or float32 on a CPU",
        ("vllm-project/vllm#31963", f"{_ERNIE}1429"),
    ),
    "file-mode": Trap(
        _W,
        "a server that runs as another user cannot read the file",
        "chmod 644 the files and 755 the folder",
    ),
    "image-budget": Trap(
        _W,
        "pages are scaled down to this number of pixels: small print is no longer legible, and the text is garbled",
        "set max_pixels to the base's: 1003520 (1.5, 1.6) or 2822400 (1.0); save memory by smaller batches instead",
        (f"{_SWIFT}2255",),
    ),
    "generation-settings": Trap(
        _W,
        "a repetition penalty mends one endless answer and breaks the next page with equal amounts; sampling reads "
        "another text each time",
        "decode greedily, without a penalty, and limit max_new_tokens",
        (f"{_OCR}17903",),
    ),
    # Adapters
    "adapter-as-checkpoint": Trap(
        _E,
        "servers do not serve adapters of this model (`does not support LoRA yet`), and loaders of checkpoints find no "
        "weights",
        "merge it: `finscribe merge --adapter ADAPTER --out FOLDER`",
        ("vllm-project/vllm#46459",),
    ),
    "adapter-in-checkpoint": Trap(
        _E,
        "transformers applies adapter_config.json in the folder of a checkpoint on top of the merged weights",
        "remove adapter_config.json and adapter_model.safetensors from the merged folder",
    ),
    "other-base": Trap(
        _E,
        "an adapter is a difference to the weights that it was trained on; on others it does harm",
        "name the base that it was trained on, or train on this one",
    ),
    "adapter-unfinished": Trap(_E, "training was killed before the adapter was complete", "run the training again"),
    "adapter-changes-nothing": Trap(
        _W, "all updates are zero: the adapter reads as its base does", "train longer, or at a higher learning rate"
    ),
    # Training sets
    "sample-dropped": Trap(
        _E,
        "trainers drop such a sample with a warning that nobody reads, or fail hours into a run",
        "correct the named line, or leave the sample out",
    ),
    "picture-unreadable": Trap(
        _E,
        "a trainer fails at it hours into a run, or trains the answer without the picture",
        "put the picture back where the sample names it, or leave the sample out",
    ),
    "image-placeholders": Trap(
        _E,
        "`Image features and image tokens do not match`: the number of placeholders is not that of the pictures",
        "write one `<image>` for each picture, before the prompt",
        (f"{_OCR}16931", f"{_SWIFT}6730"),
    ),
    "sample-too-long": Trap(
        _W,
        "trainers drop a sample beyond their length limit, or cut its answer so that the model learns not to stop",
        "raise the trainer's length limit, or cut the task into smaller ones",
        (f"{_SWIFT}7287", f"{_ERNIE}1429"),
    ),
    "stock-prompt": Trap(
        _E,
        "a task of your own under a stock prompt has to overcome what the prompt already means, and destroys it: a "
        "million samples did not converge",
        "ask in words of your own, and replay stock prompts with stock answers",
        (f"{_ERNIE}1431",),
    ),
    "answer-markup": Trap(
        _W,
        "HTML or Markdown in answers makes tables many times longer, and each token costs time in every answer",
        "write tables as OTSL, as the base does",
        (f"{_ERNIE}1427", f"{_ERNIE}1396"),
    ),
    "answer-repeats": Trap(
        _W,
        "answers that repeat themselves teach the model not to stop",
        "correct or leave out the answer; it is often a label made by a model that ran on",
        (f"{_OCR}17903", f"{_ERNIE}1427"),
    ),
    "answers-contradict": Trap(
        _W,
        "the same picture and prompt with different answers: the model can only guess",
        "keep one of the answers, or ask differently",
    ),
    # Settings of a training
    "settings-invalid": Trap(_E, "the training will not start, or ignores the setting", "correct the setting"),
    "learning-rate": Trap(
        _W,
        "outside of the published range (LoRA 1e-5 to 5e-4, all weights 1e-6 to 2e-5) the model forgets what it could "
        "read, or learns nothing",
        "begin with the published rate: 1e-4 to 5e-4 for LoRA, 5e-6 for all weights",
        (f"{_FORMERS}3982", f"{_ERNIE}1442", f"{_SWIFT}7287"),
    ),
    "lowest-rate": Trap(
        _E, "the rate rises in the course of the training instead of falling", "set the lowest rate below the highest"
    ),
    "length-limit": Trap(
        _E,
        "a page at the image budget fills the length limit alone: every page is dropped or loses its answer",
        "raise the length limit to the image tokens (pixels / 784) and the longest answer, 8192 or more",
        (f"{_SWIFT}7287", f"{_ERNIE}1429"),
    ),
    "template-setting": Trap(
        _W,
        "the trainer's template is of another version than the model",
        "choose the template of the model's version, and compare a rendered prompt with the base's",
        (f"{_OCR}17589", f"{_ERNIE}1442", "unslothai/unsloth#6661"),
    ),
    # Servers and logs
    "server-unreachable": Trap(_E, "nothing can be read", "start the server, or correct the address"),
    "server-model": Trap(
        _E, "requests for this model are refused", "name one of the served models", ("PaddlePaddle/PaddleX#5011",)
    ),
    "server-refuses": Trap(
        _E, "the server answers pictures with an error", "see the server's own message and log", (f"{_OCR}16931",)
    ),
    "server-endless": Trap(
        _W,
        "the answer about a blank picture ran to its limit: readings will be slow or endless",
        "limit max_tokens; check template and end token with `finscribe doctor CHECKPOINT`",
        (f"{_ERNIE}1427", f"{_OCR}17903"),
    ),
    "out-of-memory": Trap(
        _E,
        "the process ended for lack of memory",
        "smaller batches, gradient checkpointing, bfloat16; a smaller image budget last",
        (f"{_OCR}17064", f"{_ERNIE}1397"),
    ),
    "loss-not-finite": Trap(
        _E, "the weights are lost from here on", "go back to a checkpoint; bfloat16, lower rate", (f"{_ERNIE}1429",)
    ),
    "tool-version": Trap(
        _E,
        "a version of a tool without support for this model, or with a fault that is mended in another",
        "install the versions of docs/training.md",
        (f"{_ERNIE}1430", f"{_ERNIE}1397", f"{_ERNIE}1405"),
    ),
    # The machine
    "package-version": Trap(
        _E,
        "this package was tested with other versions: transformers before 5.23 lacks the native model",
        "run pip install -c constraints.txt finscribe-assets",
    ),
    "system-package": Trap(
        _W, "rendering would replace a missing font in silence, so `render` refuses", "install the named packages"
    ),
    "disk-space": Trap(_W, "checkpoints and shards fail half-written", "free at least 5 GB"),
    "gpu-memory": Trap(
        _W,
        "full fine-tuning takes about 16 bytes for each parameter, 15 GB before any activation",
        "use LoRA with --preset full-size-small-memory",
        (f"{_ERNIE}1397",),
    ),
}


def short_report(link: str) -> str:
    """Return a report's address as people write it: REPOSITORY#NUMBER."""
    repository, _, number = link.rsplit("/", 3)[1:]
    return f"{repository}#{number}"


def traps_to_markdown() -> str:
    """Return the catalogue as a Markdown table, as docs/doctor.md shows it."""
    rows = ["| trap | why it hurts | what to do | reports |", "|---|---|---|---|"]
    for name, trap in TRAPS.items():
        links = ", ".join(f"[{short_report(link)}]({link})" for link in trap.links)
        rows.append(f"| `{name}` ({trap.severity}) | {trap.why} | {trap.mend} | {links} |")
    return "\n".join(rows) + "\n"


@dataclass(frozen=True)
class TrapFinding:
    """A trap that was found in what a user gave.

    Attributes:
        trap: key of `TRAPS`.
        place: file, line and field.
        problem: what is there.
        mend: replaces the trap's, where the check knows better.
    """

    trap: str
    place: str
    problem: str
    mend: str = ""

    @property
    def severity(self) -> Severity:
        """Return how bad it is."""
        return TRAPS[self.trap].severity

    def to_json(self) -> dict[str, Any]:
        """Return the finding with what the catalogue says of its trap."""
        trap = TRAPS[self.trap]
        return {
            "trap": self.trap,
            "severity": str(trap.severity),
            "where": self.place,
            "what": self.problem,
            "why": trap.why,
            "mend": self.mend or trap.mend,
            "reports": trap.links,
        }
