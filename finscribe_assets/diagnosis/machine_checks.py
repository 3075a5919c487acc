"""Check the machine: versions of packages, system libraries and fonts, disk and GPU memory. torch is not loaded."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement

from finscribe_assets.diagnosis.traps import TrapFinding
from finscribe_assets.rendering.system_packages import missing_packages
from finscribe_assets.training.paddle.paddle_interpreter import paddle_python

PACKAGE = "finscribe-assets"
MIN_FREE_BYTES = 5_000_000_000
LORA_GPU_BYTES = 12_000_000_000  # docs/training.md: LoRA of the real size in a small memory


def check_machine(folder: Path) -> Iterator[TrapFinding]:
    """Yield what is wrong with this machine.

    Args:
        folder: where output will be written; the disk that it is on needs space.
    """
    yield from check_versions(requires(PACKAGE) or [])
    yield from check_paddle()
    missing = missing_packages()
    if missing:
        mend = f"sudo apt-get install -y --no-install-recommends {' '.join(missing)}"
        yield TrapFinding("system-package", "system", f"not installed: {', '.join(missing)}", mend)
    free = shutil.disk_usage(folder).free
    if free < MIN_FREE_BYTES:
        yield TrapFinding("disk-space", str(folder), f"{free / 1e9:.1f} GB free")
    memory = gpu_bytes()
    if memory is not None and memory < LORA_GPU_BYTES:
        yield TrapFinding("gpu-memory", "GPU", f"{memory / 1e9:.0f} GB")


def check_versions(requirements: list[str]) -> Iterator[TrapFinding]:
    """Yield the packages whose installed versions do not meet requirements, as of a distribution's metadata."""
    for line in requirements:
        requirement = Requirement(line)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            installed = version(requirement.name)
        except PackageNotFoundError:
            yield TrapFinding("package-version", requirement.name, "not installed")
            continue
        if not requirement.specifier.contains(installed, prereleases=True):
            yield TrapFinding(
                "package-version", requirement.name, f"{installed}, but {requirement.specifier} is needed"
            )


def check_paddle() -> Iterator[TrapFinding]:
    """Yield what Paddle's environment lacks for PaddleFormers; nothing where there is no such environment."""
    if not paddle_python().is_file():
        return
    from finscribe_assets.training.paddle.paddle_environment import BackendMissingError, find_environment
    from finscribe_assets.training.paddle.paddleformers_backend import PADDLEFORMERS

    try:
        find_environment().check(PADDLEFORMERS)
    except BackendMissingError as error:
        yield TrapFinding("tool-version", str(paddle_python()), str(error), "run `make paddle-env`")


def gpu_bytes() -> int | None:
    """Return the memory of the largest GPU that nvidia-smi lists; None without one."""
    if shutil.which("nvidia-smi") is None:
        return None
    command = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        listed = subprocess.run(command, check=True, capture_output=True, text=True, timeout=20).stdout  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    sizes = [int(line) for line in listed.split() if line.strip().isdigit()]  # MiB
    return max(sizes) * 2**20 if sizes else None
