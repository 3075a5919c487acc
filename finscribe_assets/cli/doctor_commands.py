"""The command that names known traps before they hurt: doctor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from finscribe_assets.cli.console_output import console, print_error
from finscribe_assets.errors import UserError

if TYPE_CHECKING:
    from finscribe_assets.diagnosis.traps import TrapFinding


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command()(doctor)


def doctor(
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            help="Folders of checkpoints, adapters, exports or JSON lines; files of settings (.yaml, .json), samples "
            "(.jsonl) and logs (.log, .txt); embedded; or the address of a server. Without any, only the machine is "
            "checked."
        ),
    ] = None,
    as_: Annotated[
        str | None,
        typer.Option(
            "--as",
            help="What the targets are meant to be: checkpoint, adapter, training-set, settings, server or log; "
            "determined from their files unless given.",
        ),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(help="What checkpoints and adapters were tuned from: embedded, or a folder. It is compared."),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Name of the model on a server; its first one unless given.")
    ] = None,
    max_tokens: Annotated[
        int, typer.Option(min=64, help="Length limit of the trainer: longer samples are reported.")
    ] = 8192,
    machine: Annotated[
        bool, typer.Option(help="Check versions, fonts, system libraries, disk and GPU memory of this machine.")
    ] = True,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds to wait for each answer of a server.")] = 30,
    traps: Annotated[
        bool, typer.Option("--traps", help="Print all traps as a Markdown table, and check nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as one JSON array.")] = False,
) -> None:
    """Name the traps that people fall into when they fine-tune and serve PaddleOCR-VL, with where and what to do.

    Nothing is loaded, trained or changed; weights are read for NaN and infinity. A server is asked for its models, and
    to read one blank picture. The exit status is 1 if an error is found; warnings alone give 0. The documentation of
    the doctor lists the traps and the public reports of them.
    """
    import json

    from finscribe_assets.diagnosis.diagnose import CheckOptions, TargetType, diagnose
    from finscribe_assets.diagnosis.machine_checks import check_machine
    from finscribe_assets.diagnosis.traps import Severity, traps_to_markdown
    from finscribe_assets.model.base_names import EMBEDDED
    from finscribe_assets.model.checkpoint_files import BASE_FOLDER

    if traps:
        typer.echo(traps_to_markdown(), nl=False)
        return
    if as_ is not None and as_ not in set(TargetType):
        raise UserError(f"--as: {as_!r} is unknown; it is one of {', '.join(TargetType)}")
    base_folder = BASE_FOLDER if base == EMBEDDED else Path(base) if base is not None else None
    if base_folder is not None and not base_folder.is_dir():
        raise UserError(f"--base: {base} is no folder; a repository of the hub must be downloaded first")
    options = CheckOptions(base_folder, model, max_tokens, timeout)
    findings: list[TrapFinding] = list(check_machine(Path.cwd())) if machine else []
    checked = ["this machine"] if machine else []
    failed = False
    for target in targets or ():
        try:
            findings += diagnose(target, TargetType(as_) if as_ else None, options)
            checked.append(target)
        except (UserError, OSError) as error:
            failed = True
            print_error(str(error))
    if as_json:
        typer.echo(json.dumps([finding.to_json() for finding in findings], ensure_ascii=False, indent=1))
    else:
        _print(findings, checked)
    if failed or any(finding.severity is Severity.ERROR for finding in findings):
        raise typer.Exit(1)


def _print(findings: list[TrapFinding], checked: list[str]) -> None:
    from rich.markup import escape
    from rich.table import Table

    from finscribe_assets.diagnosis.traps import Severity, short_report

    if findings:
        table = Table(show_lines=True)
        for column in ("trap", "where and what", "why, and what to do"):
            table.add_column(column, overflow="fold")
        for finding in findings:
            shown = finding.to_json()
            colour = "red" if finding.severity is Severity.ERROR else "yellow"
            reports = ", ".join(f"[link={link}]{short_report(link)}[/link]" for link in shown["reports"])
            table.add_row(
                f"[{colour}]{finding.severity}[/]\n{finding.trap}",
                escape(f"{shown['where']}\n{shown['what']}"),
                escape(f"{shown['why']}\n→ {shown['mend']}") + (f"\nreported: {reports}" if reports else ""),
            )
        console.print(table)
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    console.print(
        f"Checked: {', '.join(checked) or 'nothing'}. {errors} errors, {len(findings) - errors} warnings.",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
