"""What tests of broken exports share."""

from pathlib import Path

import pytest

from finscribe_assets.exporting.folder_export import validate_export
from finscribe_assets.exporting.sample_checks import ExportError


def assert_error(folder: Path, *parts: str, **options) -> None:
    """Validate an export; the error must begin with its folder, contain all parts and say what to do."""
    with pytest.raises(ExportError) as error:
        validate_export(folder, **options)
    message = str(error.value)
    assert message.startswith(str(folder))
    assert all(part in message for part in parts), message
    assert ";" in message or "export again" in message
