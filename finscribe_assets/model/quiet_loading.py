"""Hide what transformers prints while a small model is built, read or written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

from transformers.utils import logging

_LOCK = RLock()  # the log level is global: two threads must not save and restore it at the same time


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Hide transformers' progress bars and warnings inside the block, and restore its log level after it.

    The bars flash by for two million weights, and the warning about `mrope_section` is wrong: the architecture uses
    this key.
    """
    with _LOCK:
        level = logging.get_verbosity()
        hook = logging.set_tqdm_hook(lambda bar, values, settings: bar(*values, **settings | {"disable": True}))
        logging.set_verbosity_error()
        try:
            yield
        finally:
            logging.set_verbosity(level)
            logging.set_tqdm_hook(hook)
