"""Read a TOML file with limits on its size, its depth and its numbers (64 bits)."""

import tomllib
from pathlib import Path
from typing import Any

from tallgrass.errors import SpecError
from tallgrass.inputs.paths import opened

_MOST_BYTES = 1 << 20
_DEEPEST = 16
_LARGEST = 2**63  # TOML does not guarantee larger whole numbers


def read_toml(path: Path, missing: str) -> tuple[str, dict[str, Any]]:
    """The text of a TOML file, and its values.

    Parameters
    ----------
    path : Path
        The file.
    missing : str
        What to do if the file does not exist, for the end of the error.

    Raises
    ------
    SpecError
        When it is missing, larger than 1 MiB, not UTF-8, not TOML, nested too deeply, or has a
        number of more than 64 bits.
    """
    try:
        with opened(path) as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise SpecError("the experiment is too large", str(path), "at most 1 MiB are read")
        text = data.decode()
        values = tomllib.loads(text)
    except FileNotFoundError:
        raise SpecError("no experiment here", str(path.parent), missing) from None
    except RecursionError:
        raise SpecError("cannot read the experiment (nested too deeply)", str(path)) from None
    except (OSError, ValueError) as error:  # TOML's and UTF-8's errors are ValueErrors
        reason = error.strerror if isinstance(error, OSError) else error
        raise SpecError(f"cannot read the experiment ({reason})", str(path)) from None
    _check(values, path)
    return text, values


def _check(values: dict[str, Any], path: Path) -> None:
    """Check depth and numbers, level by level, because recursion could fail."""
    level: list[Any] = [values]
    for _ in range(_DEEPEST):
        if any(isinstance(value, int) and abs(value) >= _LARGEST for value in level):
            raise SpecError("the experiment has a number of more than 64 bits", str(path))
        level = [
            inner
            for value in level
            if isinstance(value, dict | list)
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
    if level:
        raise SpecError("cannot read the experiment (nested too deeply)", str(path))
