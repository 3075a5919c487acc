"""The command that serves stored files to a browser: files."""

from __future__ import annotations

from typing import Annotated

import typer

from finscribe_assets.cli.console_output import console


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(files)


def files(
    storage: Annotated[
        str,
        typer.Option(help="Where batches are stored: a folder or s3://….", envvar="FINSCRIBE_STORAGE"),
    ] = "storage",
    port: Annotated[
        int, typer.Option(min=0, max=65534, help="Port; 0 takes a free one. TensorBoard has the next.")
    ] = 3001,
    host: Annotated[str, typer.Option(help="Address of this machine, which must be a loopback one.")] = "127.0.0.1",
) -> None:
    """Serve reports and TensorBoard of a storage to this machine's browser, until Ctrl-C.

    Links in the Dagster UI lead here (FINSCRIBE_FILES_URL). `make dev` starts it beside the UI.
    """
    import signal

    from finscribe_assets.iteration.storage_server import StorageServer

    # Being terminated ends TensorBoard too, as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    server = StorageServer(storage, port, host)
    console.print(f"Reports of {storage}: {server.address}", markup=False)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
