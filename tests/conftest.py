"""What all tests share."""

import pytest


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """One torch thread a worker: two threads on two busy cores run slower than one."""
    import torch

    torch.set_num_threads(1)
