import pytest
import torch


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    """A model this small is read and trained fastest on one thread, and the same numbers come out each time."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
