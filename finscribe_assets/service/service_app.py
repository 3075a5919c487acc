"""The HTTP interface of the service.

What belongs here: routes and the form of their answers. Reading is in `document_work`, the checks of requests in
`request_guard`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles

from finscribe_assets.service.document_reading import DocumentAnswer, ErrorAnswer, ReadBy, ServedModelAnswer
from finscribe_assets.service.document_work import DocumentJob, DocumentWork, OnReading, RefusedError, past_limit
from finscribe_assets.service.reader_in_use import LoadedModel, ReaderInUse
from finscribe_assets.service.request_guard import RequestGuard, check_token
from finscribe_assets.service.service_log import log_event
from finscribe_assets.service.service_metrics import ServiceMetrics
from finscribe_assets.service.service_settings import ServiceSettings
from finscribe_assets.service.upload_reading import RequestBody, receive_upload

STATIC = Path(__file__).parent / "static"
_REASONS = {
    400: "The form cannot be parsed.",
    401: "The token is missing or wrong.",
    408: "The upload took too long.",
    413: "The file is too large.",
    415: "The file is neither a PDF nor an image in a supported format, or the body is not a form.",
    422: "The file cannot be read; the detail says why.",
    429: "All places are taken; `Retry-After` says when to try again.",
    500: "Reading failed by a fault of the service.",
    502: "The server whose model reads cannot be asked.",
    503: "The service is stopping.",
    504: "The document was not read within the limit.",
}
_UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary", "description": "A PDF or an image."}},
                }
            }
        },
    }
}


def make_app(settings: ServiceSettings, model: ReaderInUse, on_reading: OnReading | None = None) -> FastAPI:
    """Return the application; its workers start and end with it.

    Args:
        settings: Limits, token and workers.
        model: The model to read with.
        on_reading: See `DocumentWork`.
    """
    metrics = ServiceMetrics()
    work = DocumentWork(settings, model, on_reading)
    metrics.watch(lambda: work.accepted, lambda: work.waiting)
    metrics.set_reader(model.current.read_by)
    model.on_reload = metrics.count_reload

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await asyncio.to_thread(work.start)
        yield
        await asyncio.to_thread(work.stop, settings.limits.seconds)

    app = FastAPI(
        title="FinScribe",
        description="Reads invoices, receipts and other financial documents.",
        version=version("finscribe-assets"),
        docs_url=None,  # FastAPI's own pages load scripts from the network
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.settings, app.state.work, app.state.model, app.state.metrics = settings, work, model, metrics
    app.add_middleware(RequestGuard, settings=settings)
    app.add_exception_handler(RefusedError, _refuse)
    app.add_exception_handler(RequestValidationError, _refuse_parameters)
    _add_documents(app)
    _add_operations(app)
    _add_pages(app)
    return app


async def _refuse(request: Request, error: Exception) -> Response:
    """Answer a request that is refused, after the rest of its body has come."""
    assert isinstance(error, RefusedError)  # noqa: S101, it is the handler of this exception
    body: RequestBody = getattr(request.state, "body", None) or RequestBody(request)
    if request.method == "POST":
        await body.throw_away()
        request.app.state.metrics.count_outcome(error.outcome)
        log_event("refused", request=request.state.request_id, outcome=error.outcome, status=error.status)
    headers = {"www-authenticate": "Bearer"} if error.status == 401 else {}
    if error.retry_after is not None:
        headers["retry-after"] = str(error.retry_after)
    answer = ErrorAnswer(detail=error.detail, request_id=request.state.request_id)
    return JSONResponse(answer.model_dump(), error.status, headers)


async def _refuse_parameters(request: Request, error: Exception) -> Response:
    """Answer a request whose parameters are not of their types."""
    assert isinstance(error, RequestValidationError)  # noqa: S101, it is the handler of this exception
    problems = (f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors())
    return await _refuse(request, RefusedError(422, "bad_parameter", "; ".join(problems)))


def _add_documents(app: FastAPI) -> None:
    settings: ServiceSettings = app.state.settings
    work: DocumentWork = app.state.work
    metrics: ServiceMetrics = app.state.metrics

    @app.post(
        "/v1/documents",
        summary="Read a document",
        dependencies=[Depends(check_token)],
        response_model=DocumentAnswer,
        responses={status: {"model": ErrorAnswer, "description": reason} for status, reason in _REASONS.items()},
        openapi_extra=_UPLOAD,
    )
    async def read_document(
        request: Request,
        pictures: Annotated[bool, Query(description="Whether the answer has pictures of the pages.")] = False,
    ) -> Response:
        """Read an image or a PDF: its values with boxes and confidence, and whether a person should look at it."""
        limits, arrived = settings.limits, time.monotonic()
        body = request.state.body = RequestBody(request)
        work.accept()
        is_submitted = False
        try:
            file = await receive_upload(request, body, limits)
            job = DocumentJob(file.stem, file.name, file.content, arrived + limits.seconds, pictures)
            work.submit(job)
            is_submitted = True
        finally:
            if not is_submitted:
                work.release()
        try:
            # On time-out the job is cancelled: a worker that has not begun with it leaves it out.
            reading = await asyncio.wait_for(asyncio.wrap_future(job.result), job.seconds_left)
        except TimeoutError:
            raise past_limit(limits.seconds) from None
        metrics.count_outcome("read")
        metrics.count_reading(reading)
        log_event(
            "document",
            request=request.state.request_id,
            outcome="read",
            bytes=len(file.content),
            pages=len(reading.pages),
            values=len(reading.values),
            needs_review=reading.needs_review,
            broken_arithmetic=len(reading.broken_arithmetic),
            seconds=reading.seconds.model_dump(),
            read_by=reading.read_by.model_dump(),
        )
        return Response(reading.model_dump_json(), media_type="application/json")


def _add_operations(app: FastAPI) -> None:
    @app.get("/healthz", summary="Whether the process lives")
    async def health() -> dict[str, str]:
        """Answer; a process that does not should be restarted."""
        return {"status": "alive"}

    @app.get("/readyz", summary="Whether documents can be sent", response_model=None)
    async def readiness() -> Response:
        """Answer 200 if documents can be sent, or 503 with the reason."""
        problem = app.state.work.problem
        read_by: ReadBy = app.state.model.current.read_by
        state: dict[str, Any] = {"ready": problem is None, "reason": problem, "read_by": read_by.model_dump()}
        return JSONResponse(state, 503 if problem else 200)

    @app.get("/v1/model", summary="The reader in use", dependencies=[Depends(check_token)])
    async def served_model() -> ServedModelAnswer:
        """Return which weights read documents at this moment; each answer names those that read it."""
        model: LoadedModel = app.state.model.current
        return ServedModelAnswer(
            read_by=model.read_by,
            reads=model.reads,
            known_by="name" if model.is_on_server else "content",
            server_root=model.server_root,
            schema_name=model.mapping.name if model.mapping else None,
        )

    @app.get("/metrics", summary="Metrics for Prometheus", dependencies=[Depends(check_token)], response_model=None)
    async def metrics() -> Response:
        """Return the metrics in Prometheus' text format."""
        return PlainTextResponse(app.state.metrics.text(), media_type="text/plain; version=0.0.4")


def _add_pages(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(STATIC / "viewer.html")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> FileResponse:
        return FileResponse(STATIC / "api.html")

    app.mount("/static/swagger", StaticFiles(directory=_swagger_folder()))
    app.mount("/static", StaticFiles(directory=STATIC))


def _swagger_folder() -> Path:
    """Return the folder with Swagger UI's files, which the package `fastapi-offline` has."""
    spec = find_spec("fastapi_offline")
    folders = spec.submodule_search_locations if spec else None
    return Path(folders[0] if folders else ".") / "static"
