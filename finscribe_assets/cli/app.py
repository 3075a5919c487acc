"""The root of the command line: its help, its commands, and how errors are printed."""

from __future__ import annotations

import errno
import re
import sys
from typing import Any, NoReturn

import typer

from finscribe_assets.cli import (
    doctor_commands,
    evaluation_commands,
    exam_commands,
    export_commands,
    file_commands,
    fitting_commands,
    import_commands,
    mining_commands,
    picture_commands,
    probe_commands,
    queue_commands,
    reading_commands,
    rebuild_commands,
    review_commands,
    schema_commands,
    service_commands,
    synthesis_commands,
    training_commands,
    validation_commands,
    verification_commands,
    withdrawal_commands,
)
from finscribe_assets.cli.console_output import print_error
from finscribe_assets.errors import UserError

HELP = """Teach PaddleOCR-VL to read invoices, receipts and purchase orders.

A workspace is a folder that stages fill one after the other:

1. `finscribe synthesize --num-samples 200 --out work` – documents with exact truth
2. `finscribe render work` – page images with exact boxes
3. `finscribe pairs work --lines` – instruction pairs, with single lines for the embedded base
4. `finscribe split work` – train, validation and test without leaks
5. `finscribe train work --out work/adapter` – a LoRA adapter
6. `finscribe predict work --adapter work/adapter` – predictions of the adapter
7. `finscribe evaluate`, `finscribe mine` – scores, and what failures share
8. `finscribe probe`, `finscribe plan` – what harms the reader, found by experiment, and the batch that teaches it
9. `finscribe exam`, `finscribe decide` – whether the adapter comes into use, and whether to go on

`finscribe export work --out work/export` writes the pairs for other trainers, in the format that `--format` names.

`finscribe rebuild work/splits/manifest.json --out again` rebuilds a data set from its manifest and compares every file.
`finscribe validate work` validates the documents with the official EN 16931 schematron.
`finscribe verify-pages work` reads every field's box with an independent OCR engine; `finscribe contact-sheet work`
draws pages on one sheet. `finscribe import folder --out real --licence "…"` imports real labelled documents, to
measure on. `finscribe queue predictions.jsonl --output queue.jsonl` orders documents for correction by people.
`finscribe fit-recipe folder --out recipe.yaml` fits a recipe to real documents.
"""


# What the machine refuses and a person can change, with the mend.
_MENDS = {
    errno.ENOSPC: "free some space, or name a folder on another disk",
    errno.EDQUOT: "free some space, or name a folder on another disk",
    errno.EROFS: "name a folder that can be written",
    errno.EPERM: "change its permissions, or name another",
    errno.EEXIST: "a file is in the way; remove it, or name another folder",
    errno.ENAMETOOLONG: "give a shorter name",
    errno.EACCES: "change its permissions, or name another",
    errno.EISDIR: "name a file",
    errno.ENOTDIR: "name a folder",
}


class Commands(typer.core.TyperGroup):
    """Commands that print an error a person can mend as one line, with exit status 1; a bug keeps its traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except UserError as error:
            _fail(str(error))
        except Exception as error:
            refusal = _refusal_of(error)
            if refusal is None:
                raise
            _fail(refusal)


def _refusal_of(error: BaseException | None) -> str | None:
    """Return what the machine refused and what to do, if an error or one of its causes says so."""
    while error is not None:
        if isinstance(error, OSError):
            number, reason, path = error.errno, error.strerror, error.filename
        else:  # libraries in Rust, such as safetensors, put the number into their text
            stated = re.search(r"(?P<reason>[\w ]+) \(os error (?P<number>\d+)\)", str(error))
            number, reason = (int(stated["number"]), stated["reason"].strip()) if stated else (None, "")
            path = None
        if number in _MENDS:
            return f"{path or 'a file to be written'}: {reason}; {_MENDS[number]}"
        error = error.__cause__
    return None


def _fail(message: str) -> NoReturn:
    print_error(message)
    sys.exit(1)


app = typer.Typer(cls=Commands, help=HELP, no_args_is_help=True, rich_markup_mode="markdown", add_completion=False)
for commands in (
    synthesis_commands,
    schema_commands,
    rebuild_commands,
    export_commands,
    file_commands,
    training_commands,
    reading_commands,
    service_commands,
    doctor_commands,
    evaluation_commands,
    probe_commands,
    exam_commands,
    withdrawal_commands,
    mining_commands,
    validation_commands,
    verification_commands,
    picture_commands,
    import_commands,
    queue_commands,
    fitting_commands,
    review_commands,
):
    commands.register(app)
