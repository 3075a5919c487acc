import pytest

from finscribe_assets.inference.reader import Reader
from finscribe_assets_tests.training.page_base import write_page_base


@pytest.fixture(scope="session")
def reader():
    return Reader(threads=1)


@pytest.fixture(scope="session")
def page_base(tmp_path_factory):
    return write_page_base(tmp_path_factory.mktemp("base") / "pages")


@pytest.fixture(scope="session")
def page_reader(page_base):
    return Reader(str(page_base), threads=1)
