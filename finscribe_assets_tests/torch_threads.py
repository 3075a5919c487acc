"""A fixture for the tests of packages that train or read with torch; their conftest.py files import it."""

import pytest
import torch


@pytest.fixture(scope="session", autouse=True)
def one_torch_thread():
    """Run torch on one thread: the fastest for a model this small, and the same numbers on every machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
