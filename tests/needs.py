"""What a test needs and a user's machine may lack."""

import os
from typing import NoReturn

import pytest


def missing(reason: str) -> NoReturn:
    """Skip the test, and say why; in CI everything must be there, so fail."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
