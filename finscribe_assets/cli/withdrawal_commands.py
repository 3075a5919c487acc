"""Commands that take a promoted adapter out of use, or bring it back: withdraw-adapter, restore-adapter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from finscribe_assets.cli.console_output import console
from finscribe_assets.cli.exam_commands import Storage

if TYPE_CHECKING:
    from finscribe_assets.promotion.adapter_withdrawals import WithdrawalAction

Key = Annotated[str, typer.Argument(help="Batch whose adapter is meant, such as batch-003.")]
Reason = Annotated[str, typer.Option(help="Why, in a few words; it stays in the history.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (withdraw_adapter, restore_adapter):
        app.command()(command)


def withdraw_adapter(
    key: Key,
    reason: Reason,
    storage: Storage = "storage",
    to_bare_base: Annotated[
        bool, typer.Option("--to-bare-base", help="Allow that no adapter is in use afterwards.")
    ] = False,
) -> None:
    """Take a promoted adapter out of use; the one that was promoted before it is in use again.

    Services that run with `--promoted` load that one within seconds; `extract`, `merge` and the next iteration take it,
    too. The adapter's files and the gate's decisions stay, and `finscribe restore-adapter` brings it back.
    """
    from finscribe_assets.promotion.adapter_withdrawals import WithdrawalAction

    _take(WithdrawalAction.WITHDRAWN, key, reason, storage, to_bare_base=to_bare_base)


def restore_adapter(key: Key, reason: Reason, storage: Storage = "storage") -> None:
    """Bring a withdrawn adapter back into use, unless a later one is promoted."""
    from finscribe_assets.promotion.adapter_withdrawals import WithdrawalAction

    _take(WithdrawalAction.RESTORED, key, reason, storage)


def _take(action: WithdrawalAction, key: str, reason: str, storage: str, *, to_bare_base: bool = False) -> None:
    from finscribe_assets.iteration.batch_storage import FolderStorage
    from finscribe_assets.iteration.promoting import take_step

    in_use = take_step(FolderStorage(storage), action, key, reason, to_bare_base=to_bare_base)
    console.print(
        f"{key} is {action}. In use now: "
        f"{f'{in_use.key}, adapter {in_use.adapter[:12]}' if in_use else 'the bare base'}",
        soft_wrap=True,
    )
