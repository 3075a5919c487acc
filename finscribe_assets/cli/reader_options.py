"""Options of commands that read: which model, in this process or on a server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from finscribe_assets.documents.batch_keys import LAST_BATCH_KEY
from finscribe_assets.errors import MissingInputError, UserError
from finscribe_assets.inference.server_settings import ReadingUnit
from finscribe_assets.model.base_names import EMBEDDED

if TYPE_CHECKING:
    from finscribe_assets.files import AnyPath
    from finscribe_assets.inference.image_reader import ImageReader

Base = Annotated[
    str, typer.Option(help="embedded, a folder with a checkpoint, or OWNER/NAME of a repository on the hub.")
]
Adapter = Annotated[
    Path | None,
    typer.Option(help="Folder of an adapter; without it the bare base reads.", exists=True, file_okay=False),
]
Promoted = Annotated[
    str | None,
    typer.Option(help="In the place of --adapter: the platform's storage, whose adapter in use is taken."),
]
Server = Annotated[
    str | None,
    typer.Option(
        help="Instead of a model in this process: address of an OpenAI-compatible server, such as "
        "http://127.0.0.1:8000. Its token is FINSCRIBE_SERVER_TOKEN of the environment."
    ),
]
Model = Annotated[
    str | None, typer.Option(help="With --server: the model's name there; may be left out if the server has one.")
]
Reads = Annotated[
    ReadingUnit | None,
    typer.Option(
        help="With --server: lines for a model that was merged from the embedded base, else pages.",
        show_default="pages",
    ),
]


def adapter_or_promoted(adapter: Path | None, storage: str | None) -> AnyPath | None:
    """Return the folder of the adapter that a command was given, or the one in use in a storage.

    Raises:
        UserError: both are given.
        MissingInputError: no adapter is in use in the storage.
    """
    from finscribe_assets.iteration.batch_storage import FolderStorage
    from finscribe_assets.iteration.promoting import adapter_folder, adapter_in_use

    if storage is None:
        return adapter
    if adapter is not None:
        raise UserError("give --adapter or --promoted, not both")
    batches = FolderStorage(storage)
    in_use = adapter_in_use(batches, LAST_BATCH_KEY)
    if in_use is None:
        raise MissingInputError(f"{storage}: no adapter is in use; `finscribe adapters --storage {storage}` says why")
    return adapter_folder(batches, in_use)


def reader_given(
    base: str,
    adapter: Path | None,
    promoted: str | None,
    server: str | None,
    model: str | None,
    reads: ReadingUnit | None,
    threads: int,
) -> ImageReader:
    """Return the reader that a command was given: a model that is loaded here, or one on a server.

    Raises:
        UserError: options of both are given, or the server cannot be asked.
        MissingInputError: a base or an adapter does not exist.
    """
    if server is None:
        from finscribe_assets.inference.reader import Reader

        if model or reads:
            raise UserError("--model, --reads: they describe the model of a server; give --server, too")
        return Reader(base, adapter_or_promoted(adapter, promoted), threads=threads)
    from finscribe_assets.inference.server_reader import ServerReader
    from finscribe_assets.inference.server_settings import server_settings

    if adapter or promoted or base != EMBEDDED:
        raise UserError(
            "--server: the server decides what reads; leave out --base, --adapter and --promoted, and serve the "
            "folder that `finscribe merge` makes of them"
        )
    return ServerReader(server_settings(server, model, reads), threads)
