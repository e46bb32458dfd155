"""What a test needs and a user's machine may lack."""

import os
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import NoReturn

import pytest


def missing(reason: str) -> NoReturn:
    """Skip the test, and say why; in CI everything must be there, so fail."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def library(name: str) -> ModuleType:
    """A library of the extra ``interop``; without it the test skips, and in CI fails."""
    if not find_spec(name):
        missing(f"{name} is not installed: pip install 'tallgrass[interop]'")
    return import_module(name)
