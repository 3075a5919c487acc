"""The command that serves a reader over HTTP: serve."""

from __future__ import annotations

from typing import Annotated

import typer

from finscribe_assets.cli.console_output import console
from finscribe_assets.cli.reading_commands import Adapter
from finscribe_assets.errors import MissingExtraError, UserError

_EXTRA = ("fastapi", "uvicorn", "multipart", "prometheus_client", "fastapi_offline")


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(serve)


def serve(
    adapter: Adapter = None,
    promoted: Annotated[
        str | None,
        typer.Option(
            help="In the place of --adapter: the platform's storage, whose adapter in use is served; another one that "
            "is promoted later is loaded while the service runs."
        ),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            help="embedded, a folder with a checkpoint, or OWNER/NAME of a repository on the hub; the base that the "
            "adapter was trained on unless given."
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; other ones than loopback need FINSCRIBE_SERVICE_TOKEN.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8600,
    max_megabytes: Annotated[int, typer.Option(min=1, max=64, help="Largest file, in MiB.")] = 20,
    max_pages: Annotated[int, typer.Option(min=1, max=50, help="Most pages of a document.")] = 20,
    seconds: Annotated[float, typer.Option(min=1, help="Longest time from upload to answer.")] = 120.0,
    places: Annotated[
        int, typer.Option(min=1, help="Documents that are accepted at once; further ones are answered with 429.")
    ] = 32,
    workers: Annotated[
        int, typer.Option(min=1, help="Documents that are opened at once; a model in this process reads one at a time.")
    ] = 2,
    dpi: Annotated[
        int, typer.Option(min=36, max=600, help="Resolution that PDF pages are rasterised at, in dots per inch.")
    ] = 144,
    threads: Annotated[int, typer.Option(min=1, help="Number of CPU threads of the model.")] = 1,
    reload_seconds: Annotated[
        float, typer.Option(min=0.1, help="With --promoted: seconds between two looks at which adapter is in use.")
    ] = 10.0,
) -> None:
    """Serve a reader over HTTP: a document in, its values with boxes and confidence out; a page to try it in a browser.

    `POST /v1/documents` takes an image or a PDF; `/` is a page to drop a file on, `/docs` describes the interface.
    Stop it with Ctrl-C or SIGTERM: accepted documents are finished. The log, on the error stream, has no contents of
    documents.
    """
    from importlib.util import find_spec

    missing = [package for package in _EXTRA if find_spec(package) is None]
    if missing:
        raise MissingExtraError(
            f"serve needs {', '.join(missing)}, not installed; run pip install 'finscribe-assets[serve]'"
        )
    if adapter is not None and promoted is not None:
        raise UserError("give --adapter or --promoted, not both")
    from finscribe_assets.service.served_model import AdapterChoice, ServedModel, load_in_process, promoted_choice
    from finscribe_assets.service.service_app import make_app
    from finscribe_assets.service.service_run import serve as run_service
    from finscribe_assets.service.service_settings import ServiceLimits, ServiceSettings, token_of_environment

    limits = ServiceLimits(
        file_bytes=max_megabytes << 20, pages=max_pages, seconds=seconds, accepted=places, workers=workers
    )
    settings = ServiceSettings(host, port, token_of_environment(), limits, dpi, threads)
    model = ServedModel(
        (lambda: promoted_choice(promoted)) if promoted is not None else (lambda: AdapterChoice(adapter)),
        load_in_process(base, threads),
    )
    if promoted is not None:
        model.start_watching(reload_seconds)
    shown = f"[{host}]" if ":" in host else host
    console.print(f"Serving on http://{shown}:{port}/ – stop with Ctrl-C")
    try:
        run_service(make_app(settings, model), settings)
    finally:
        model.stop()
