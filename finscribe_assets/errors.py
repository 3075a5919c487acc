"""Errors that a person can mend.

The command line prints a `UserError` as one line and exits with status 1; any other exception is a fault of this
package and keeps its traceback. The message says what is wrong, where (file, line, field) and what to do.
"""


class UserError(ValueError):
    """A value, file or setting that a person gave cannot be used."""


class MissingInputError(UserError, FileNotFoundError):
    """A file or folder that a stage needs is not there."""


class MissingExtraError(UserError, ModuleNotFoundError):
    """An optional dependency is not installed."""
