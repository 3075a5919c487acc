"""Serve the files of a storage to a browser on this machine: reports, their JSON, pictures, TensorBoard.

The Dagster UI shows paths as text; links into this server open. It reads through the storage, so that a report in an
object store opens as one on disk does, and no link expires. It serves files of a few types, lists no folder but the
first page, and answers nothing that was not asked for by this machine's own name: a page of the internet that a browser
shows could otherwise read it (DNS rebinding).
"""

from __future__ import annotations

import subprocess
import sys
import threading
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from finscribe_assets.documents.batch_keys import BATCH_KEY_PATTERN
from finscribe_assets.errors import UserError
from finscribe_assets.files import AnyPath, as_path, is_local
from finscribe_assets.importing.inbox import INBOX_KEY_PATTERN
from finscribe_assets.iteration.batch_storage import Stage
from finscribe_assets.loopback import asks_for_loopback, is_loopback

CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".jsonl": "text/plain; charset=utf-8",
    ".yaml": "text/plain; charset=utf-8",
    ".png": "image/png",
    ".webp": "image/webp",
}
# Reports hold their styles and pictures, and no script.
CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data: 'self'"
SHOWN_FILES = {
    Stage.EVALUATION_REPORT: ("report.html", "test.html"),
    Stage.REAL_REPORT: ("report.html",),
}
TENSORBOARD = "/tensorboard"


class StorageServer(ThreadingHTTPServer):
    """Serves a storage on the loopback interface."""

    daemon_threads = True

    def __init__(self, root: str, port: int, host: str = "127.0.0.1") -> None:
        """Bind the port; `serve_forever` then serves.

        Args:
            root: Of the storage: a folder or ``s3://…``.
            port: 0 takes a free one.
            host: Address of this machine; others than loopback ones are refused, since there is no password.

        Raises:
            UserError: The host is not a loopback address, or the port is taken.
        """
        if not is_loopback(host):
            raise UserError(f"--host {host}: pages of documents are served to this machine only; put a proxy before it")
        self.root = as_path(root)
        self.tensorboard: subprocess.Popen[bytes] | None = None
        self.starting = threading.Lock()
        try:
            super().__init__((host, port), _FileRequest)
        except OSError as error:
            raise UserError(f"--port {port}: {error.strerror}; name a free port") from error

    @property
    def address(self) -> str:
        """Return the address of the first page."""
        return f"http://{self.server_address[0]!s}:{self.server_port}/"

    def tensorboard_address(self) -> str:
        """Start TensorBoard over all adapters' logs where it does not run yet, one port above; return its address."""
        port = self.server_port + 1
        with self.starting:
            if self.tensorboard is None or self.tensorboard.poll() is not None:
                logs = str(self.root / str(Stage.TRAINED_ADAPTER))
                command = [sys.executable, "-m", "tensorboard.main", "--logdir", logs, "--port", str(port)]
                self.tensorboard = subprocess.Popen(  # noqa: S603
                    [*command, "--host", "127.0.0.1", "--load_fast=false"], stdin=subprocess.DEVNULL
                )
        return f"http://127.0.0.1:{port}/"

    def server_close(self) -> None:
        """Close the port, and end TensorBoard."""
        super().server_close()
        if self.tensorboard is not None:
            self.tensorboard.terminate()
            self.tensorboard.wait()


class _FileRequest(BaseHTTPRequestHandler):
    server: StorageServer

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if not asks_for_loopback(self.headers.get("Host", "")):
            self._refuse(HTTPStatus.FORBIDDEN, "Ask by the name 127.0.0.1 or localhost.")
        elif path == "/":
            self._answer(_first_page(self.server.root).encode(), CONTENT_TYPES[".html"])
        elif path == TENSORBOARD:
            self._show_tensorboard()
        elif (file := _file_of(self.server.root, path)) is None:
            self._refuse(HTTPStatus.NOT_FOUND, f"{path}: no file of a batch, or of no type that is shown.")
        else:
            self._answer(file.read_bytes(), CONTENT_TYPES[file.suffix])

    def _show_tensorboard(self) -> None:
        if not is_local(self.server.root):
            self._refuse(HTTPStatus.NOT_FOUND, "TensorBoard reads logs on a disk only: copy trained_adapter/ there.")
            return
        address = self.server.tensorboard_address()
        text = (
            '<!DOCTYPE html><html lang="en"><meta http-equiv="refresh" content="4; url={0}">'
            '<title>TensorBoard</title><p>TensorBoard starts, which takes some seconds: <a href="{0}">{0}</a>'
        ).format(escape(address))
        self._answer(text.encode(), CONTENT_TYPES[".html"])

    def _refuse(self, status: HTTPStatus, text: str) -> None:
        self._answer(f"{text}\n".encode(), "text/plain; charset=utf-8", status)

    def _answer(self, content: bytes, content_type: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", CONTENT_POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Write no line for a request."""


def _file_of(root: AnyPath, path: str) -> AnyPath | None:
    """Return the file of a batch that a path ``/<stage>/<key>/<file>`` names; None if it is not one that is shown."""
    parts = PurePosixPath(path.lstrip("/")).parts
    if len(parts) < 3 or ".." in parts or parts[0] not in set(Stage) or "\\" in path or "\0" in path:
        return None
    if not (BATCH_KEY_PATTERN.fullmatch(parts[1]) or INBOX_KEY_PATTERN.fullmatch(parts[1])):
        return None
    file = root.joinpath(*parts)
    return file if file.suffix in CONTENT_TYPES and file.is_file() else None


def _first_page(root: AnyPath) -> str:
    """Return a page with a link to each report, the newest first."""
    rows = []
    for stage, names in SHOWN_FILES.items():
        folder = root / str(stage)
        for key in sorted((one.name for one in folder.iterdir()) if folder.exists() else (), reverse=True):
            paths = [f"/{stage}/{key}/{name}" for name in names if _file_of(root, f"/{stage}/{key}/{name}")]
            links = " · ".join(f'<a href="{path}">{PurePosixPath(path).stem}</a>' for path in paths)
            rows.append(f"<tr><th scope=row>{stage}</th><td>{escape(key)}</td><td>{links}</td></tr>" if links else "")
    body = "".join(rows) or "<tr><td>No report is stored yet.</td></tr>"
    style = "body{font:15px/1.6 system-ui,sans-serif;margin:2rem}th,td{text-align:left;padding-right:2rem}"
    return (
        f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>FinScribe</title><style>{style}</style>'
        f'<h1>Reports</h1><table>{body}</table><p><a href="{TENSORBOARD}">TensorBoard: training of all adapters</a></p>'
    )
