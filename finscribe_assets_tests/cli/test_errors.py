"""A mistake of the user is one line; a fault of the package keeps its traceback."""

import errno

import numpy as np
import pytest
from typer.testing import CliRunner

from finscribe_assets.cli import app
from finscribe_assets.cli.app import Commands
from finscribe_assets.errors import MissingInputError, UserError
from finscribe_assets.files import atomic_write


@pytest.fixture
def failing(monkeypatch):
    def install(error):
        def invoke(self, ctx):
            raise error

        monkeypatch.setattr(Commands.__mro__[1], "invoke", invoke)
        return CliRunner().invoke(app, ["schema"])

    return install


@pytest.mark.parametrize(
    "error",
    [
        UserError("plan.yaml: line 3: seed [a] is no number; give one"),
        MissingInputError("plan.yaml: line 3: seed [a] is no number; give one"),
    ],
)
def test_an_error_that_a_person_can_mend_is_one_line(failing, error):
    result = failing(error)
    assert result.exit_code == 1
    assert result.stderr.strip() == "finscribe: plan.yaml: line 3: seed [a] is no number; give one"


def test_a_full_disk_is_one_line_with_the_path(failing):
    result = failing(OSError(errno.ENOSPC, "No space left on device", "work/documents/part-00000.parquet"))
    assert result.exit_code == 1
    assert "work/documents/part-00000.parquet: No space left on device" in result.stderr


def test_a_fault_of_the_package_is_not_taken_for_a_mistake_of_the_user(failing):
    with pytest.raises(ValueError, match="broadcast") as caught:
        np.ones(2) + np.ones(3)
    result = failing(caught.value)
    assert result.exception is caught.value
    assert "finscribe:" not in result.output


def test_a_file_that_the_package_itself_lacks_is_a_fault(failing):
    error = FileNotFoundError(errno.ENOENT, "No such file or directory", "templates/invoice.html")
    assert failing(error).exception is error


def test_a_full_disk_that_a_library_reports_in_its_own_error_is_one_line(failing):
    result = failing(RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)"))
    assert result.exit_code == 1
    assert "No space left on device; free some space" in result.stderr
    assert "\n" not in result.stderr.strip()


def test_a_write_to_a_full_disk_names_the_file(tmp_path):
    with pytest.raises(OSError, match="No space left") as raised, atomic_write(tmp_path / "part.parquet"):
        raise OSError(errno.ENOSPC, "No space left on device")  # as a write raises it
    assert raised.value.filename == str(tmp_path / "part.parquet")
    assert list(tmp_path.iterdir()) == []
