"""Determine what a user gave, and run the checks for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from finscribe_assets.diagnosis.adapter_checks import check_adapter
from finscribe_assets.diagnosis.checkpoint_checks import INDEX_FILE, check_checkpoint
from finscribe_assets.diagnosis.log_checks import check_log
from finscribe_assets.diagnosis.server_checks import TIMEOUT, check_server
from finscribe_assets.diagnosis.settings_checks import SHELL_SUFFIX, check_settings
from finscribe_assets.diagnosis.training_set_checks import check_training_set, data_files, is_array
from finscribe_assets.diagnosis.traps import TrapFinding
from finscribe_assets.errors import MissingInputError, UserError
from finscribe_assets.exporting.folder_export import EXPORT_RECORD_FILE
from finscribe_assets.instructions.token_count import MAX_TOKENS
from finscribe_assets.model.base_names import EMBEDDED
from finscribe_assets.model.checkpoint_files import (
    ADAPTER_CONFIG,
    ADAPTER_WEIGHTS,
    BASE_FOLDER,
    FULL_WEIGHTS,
    TRAINING_RECORD,
    WEIGHTS,
)


class TargetType(StrEnum):
    """What can be checked."""

    CHECKPOINT = "checkpoint"
    ADAPTER = "adapter"
    TRAINING_SET = "training-set"
    SETTINGS = "settings"
    SERVER = "server"
    LOG = "log"


@dataclass(frozen=True)
class CheckOptions:
    """What the checks may be told.

    Attributes:
        base: folder of the checkpoint that a checkpoint or adapter was tuned from.
        model: name of the model on a server.
        max_tokens: a sample with more tokens than this is too long.
        timeout: seconds for each answer of a server.
    """

    base: Path | None = None
    model: str | None = None
    max_tokens: int = MAX_TOKENS
    timeout: float = TIMEOUT


def type_of(target: str) -> TargetType:
    """Determine what a target is, by its address, its files or its suffix.

    Raises:
        MissingInputError: it does not exist.
        UserError: it is nothing that can be checked.
    """
    if target.startswith(("http://", "https://")):
        return TargetType.SERVER
    if target == EMBEDDED:
        return TargetType.CHECKPOINT
    path = Path(target)
    if not path.exists():
        raise MissingInputError(f"{target}: no such file or folder, and no http address")
    if path.is_file():
        by_suffix = {
            ".jsonl": TargetType.TRAINING_SET,
            ".yaml": TargetType.SETTINGS,
            ".yml": TargetType.SETTINGS,
            ".json": TargetType.SETTINGS,
            SHELL_SUFFIX: TargetType.SETTINGS,
            ".log": TargetType.LOG,
            ".txt": TargetType.LOG,
        }
        if path.suffix.lower() == ".json" and is_array(path):
            return TargetType.TRAINING_SET
        if path.suffix.lower() in by_suffix:
            return by_suffix[path.suffix.lower()]
        raise UserError(f"{target}: files are .jsonl (samples), .yaml, .json or .sh (settings), .log or .txt (logs)")
    if any((path / name).is_file() for name in (WEIGHTS, INDEX_FILE)):
        return TargetType.CHECKPOINT
    if any((path / name).is_file() for name in (ADAPTER_WEIGHTS, ADAPTER_CONFIG, FULL_WEIGHTS, TRAINING_RECORD)):
        return TargetType.ADAPTER
    if (path / EXPORT_RECORD_FILE).is_file() or data_files(path):
        return TargetType.TRAINING_SET
    if (path / "config.json").is_file():
        return TargetType.CHECKPOINT
    raise UserError(
        f"{target}: neither a checkpoint, an adapter, an export nor a folder of JSON lines; name the file or folder "
        "that holds one"
    )


def diagnose(
    target: str, type_: TargetType | None = None, options: CheckOptions | None = None
) -> Iterator[TrapFinding]:
    """Yield what is wrong with a target.

    Args:
        target: a folder, a file, ``embedded``, or the address of a server.
        type_: what it is meant to be; determined from its files unless given.
        options: what the checks may be told.

    Raises:
        MissingInputError: the target does not exist.
        UserError: the target is nothing that can be checked.
    """
    options = options or CheckOptions()
    type_ = type_ or type_of(target)
    path = BASE_FOLDER if target == EMBEDDED else Path(target)
    if type_ is TargetType.SERVER:
        yield from check_server(target, options.model, options.timeout)
    elif not path.exists():
        raise MissingInputError(f"{target}: no such file or folder")
    elif type_ is TargetType.CHECKPOINT:
        yield from check_checkpoint(path, options.base)
    elif type_ is TargetType.ADAPTER:
        yield from check_adapter(path, options.base)
    elif type_ is TargetType.TRAINING_SET:
        yield from check_training_set(path, options.max_tokens)
    elif type_ is TargetType.SETTINGS:
        yield from check_settings(path)
    else:
        yield from check_log(path)
