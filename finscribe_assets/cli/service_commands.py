"""Commands that serve a reader over HTTP, and watch what it reads: serve, drift."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from finscribe_assets.cli.console_output import console, show
from finscribe_assets.cli.reader_options import Adapter, Model, Reads, Server
from finscribe_assets.cli.schema_option import SchemaName, mapping_given
from finscribe_assets.errors import MissingExtraError, UserError

_EXTRA = ("fastapi", "uvicorn", "multipart", "prometheus_client", "fastapi_offline")
FEATURES_PRINTED = 15


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (serve, drift):
        app.command()(command)


class Detail(StrEnum):
    """How much of documents a log of readings keeps."""

    MEASURES = "measures"
    VALUES = "values"
    DOCUMENTS = "documents"


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
            "adapter was trained on unless given. With no reader named, the OCR engine reads."
        ),
    ] = None,
    server: Server = None,
    model: Model = None,
    reads: Reads = None,
    schema: SchemaName = None,
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
    log: Annotated[
        Path | None,
        typer.Option(help="Folder for a log of readings, for `finscribe drift` and for people; none unless given."),
    ] = None,
    log_detail: Annotated[
        Detail,
        typer.Option(
            help="What the log keeps: measures (confidence, broken rules and looks of pages, no values), values, or "
            "documents (values, and the files of documents that a person should look at)."
        ),
    ] = Detail.MEASURES,
    log_days: Annotated[int, typer.Option(min=1, help="Number of days that the log is kept.")] = 90,
) -> None:
    """Serve a reader over HTTP: a document in, its values with boxes and confidence out; a page to try it in a browser.

    `POST /v1/documents` takes an image or a PDF; `/` is a page to drop a file on, `/docs` describes the interface.
    Stop it with Ctrl-C or SIGTERM: accepted documents are finished. The log, on the error stream, has no contents of
    documents. With --schema, records are in your keys, and a model that reads pages is asked for them.
    """
    from importlib.util import find_spec

    missing = [package for package in _EXTRA if find_spec(package) is None]
    if missing:
        raise MissingExtraError(
            f"serve needs {', '.join(missing)}, not installed; run pip install 'finscribe-assets[serve]'"
        )
    if adapter is not None and promoted is not None:
        raise UserError("give --adapter or --promoted, not both")
    if server is not None and (adapter, promoted, base) != (None, None, None):
        raise UserError("--server: the server decides what reads; leave out --base, --adapter and --promoted")
    if server is None and (model or reads):
        raise UserError("--model, --reads: they describe the model of a server; give --server, too")
    from finscribe_assets.inference.server_settings import server_settings
    from finscribe_assets.service.reader_in_use import AdapterChoice, ReaderInUse, promoted_choice
    from finscribe_assets.service.reader_loading import load_here, load_server
    from finscribe_assets.service.readings_log import LogDetail, ReadingsLog
    from finscribe_assets.service.service_app import make_app
    from finscribe_assets.service.service_run import serve as run_service
    from finscribe_assets.service.service_settings import ServiceLimits, ServiceSettings, token_of_environment

    limits = ServiceLimits(
        file_bytes=max_megabytes << 20, pages=max_pages, seconds=seconds, accepted=places, workers=workers
    )
    mapping = mapping_given(schema)
    settings = ServiceSettings(host, port, token_of_environment(), limits, dpi, threads)
    readings = ReadingsLog(log, LogDetail(log_detail), log_days) if log is not None else None
    served = ReaderInUse(
        (lambda: promoted_choice(promoted)) if promoted is not None else (lambda: AdapterChoice(adapter)),
        load_here(base, threads, mapping)
        if server is None
        else load_server(server_settings(server, model, reads), threads, mapping),
    )
    if promoted is not None:
        served.start_watching(reload_seconds)
    shown = f"[{host}]" if ":" in host else host
    console.print(f"Serving on http://{shown}:{port}/ – stop with Ctrl-C")
    try:
        run_service(make_app(settings, served, readings.append if readings else None), settings)
    finally:
        served.stop()


def drift(
    log: Annotated[Path, typer.Argument(help="Log of `finscribe serve --log`.", exists=True, file_okay=False)],
    days: Annotated[int, typer.Option(min=1, help="Number of latest days, which are compared.")] = 7,
    reference: Annotated[
        Path | None,
        typer.Option(
            help="What they are compared with: another log, or a workspace of `finscribe import`; the earlier days of "
            "the log unless given.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Report to write, as JSON.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Picture to write, as PNG.")] = None,
) -> None:
    """Compare the latest days of a service with earlier ones: confidence, contents and looks of pages.

    Each feature is compared by the test of Kolmogorov and Smirnov. A feature drifted if its distributions differ by 0.2
    or more, and significantly over all features together: any false alarm has a probability of 1 % at most. On drift
    the exit status is 1.
    """
    from finscribe_assets.files import write_bytes, write_json
    from finscribe_assets.service.drift import drift_picture, find_drift

    data = find_drift(log, days, reference)
    report = data.report
    if output is not None:
        write_json(output, report.to_json())
    if plot is not None:
        write_bytes(plot, drift_picture(data))
    show(
        "features, the largest difference first",
        [
            {
                "feature": item.feature,
                "reference": item.reference,
                "latest": item.latest,
                "distance": item.distance,
                "p": f"{item.p:.2g}",
                "drifted": "yes" if item.drifted else "",
            }
            for item in report.features[:FEATURES_PRINTED]
        ],
    )
    console.print(f"{report.conclusion}. Reference: {report.reference}")
    if report.drifted:
        raise typer.Exit(1)
