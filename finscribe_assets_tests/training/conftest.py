"""The data set that the tests of training share, and its lines, prepared once."""

import pytest

from finscribe_assets_tests.torch_threads import one_torch_thread  # noqa: F401, a fixture
from finscribe_assets_tests.training.adapter_data import lines_prepared_once, source_of


@pytest.fixture(scope="session")
def source(batch, tmp_path_factory):
    return source_of(batch, tmp_path_factory.mktemp("source") / "splits")


@pytest.fixture(scope="session", autouse=True)
def _lines_prepared_once():
    with lines_prepared_once():
        yield
