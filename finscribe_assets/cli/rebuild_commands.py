"""The command that rebuilds a data set from its manifest: rebuild."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from finscribe_assets.cli.console_output import console
from finscribe_assets.cli.synthesis_commands import WorkerCount
from finscribe_assets.profiles import workers_from_environment


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command()(rebuild)


def rebuild(
    manifest: Annotated[Path, typer.Argument(help="The manifest.json of a data set.", exists=True, dir_okay=False)],
    out: Annotated[Path, typer.Option(help="Folder to write: a workspace for each batch.", file_okay=False)],
    workers: WorkerCount = None,
) -> None:
    """Rebuild a data set from its manifest, and compare every file with the hashes in it.

    The manifest holds the plans and seeds that documents, pages, pairs and splits are made from. If bytes differ, the
    files and the tools of other versions are listed, and the exit status is 1.
    """
    from finscribe_assets.documents.recipe_files import load_yaml_model
    from finscribe_assets.ray_pool import pool_from_environment
    from finscribe_assets.splitting.manifest import Manifest
    from finscribe_assets.splitting.rebuild import rebuild as rebuild_data_set

    wanted = load_yaml_model(manifest, Manifest)
    done = rebuild_data_set(wanted, out, pool_from_environment(workers or workers_from_environment()), console.print)
    for tool in done.changed_tools:
        console.print(f"other version than in the manifest: {tool}")
    for name in done.changed_files:
        console.print(f"differs: {name}", highlight=False)
    for name in done.changed_fields:
        console.print(f"differs: {name} of the manifest", highlight=False)
    if not done.same:
        raise typer.Exit(1)
    console.print(f"{done.compared_files} files in {out} are equal to the manifest's, byte for byte")
