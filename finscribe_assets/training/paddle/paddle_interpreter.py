"""Where the interpreter of Paddle's environment is; loads nothing of the training."""

from __future__ import annotations

import os
from pathlib import Path

PYTHON_VARIABLE = "FINSCRIBE_PADDLE_PYTHON"
_DEFAULT_PYTHON = Path(".venv-paddle/bin/python")  # made by `make paddle-env`, relative to the project's folder


def paddle_python() -> Path:
    """Return the path of Paddle's interpreter, whether it is there or not."""
    # Not resolved: the interpreter of a virtual environment is a link that leads out of it.
    return Path(os.environ.get(PYTHON_VARIABLE) or _DEFAULT_PYTHON).absolute()
