"""A TOML file as plain values: of bounded size and depth, and every number within 64 bits."""

import tomllib
from pathlib import Path
from typing import Any

from tallgrass.errors import SpecError

_MOST_BYTES = 1 << 20
_DEEPEST = 16
_LARGEST = 2**63  # TOML promises no larger whole numbers


def read_toml(path: Path, missing: str) -> tuple[str, dict[str, Any]]:
    """The text of a TOML file, and what it holds.

    Parameters
    ----------
    path : Path
        The file.
    missing : str
        What to do where there is none, for the end of the error.

    Raises
    ------
    SpecError
        When it is missing, larger than 1 MiB, no UTF-8, no TOML, nested too deeply, or holds a
        number of more than 64 bits.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise SpecError("the experiment is too large", str(path), "at most 1 MiB are read")
        text = data.decode()
        found = tomllib.loads(text)
    except FileNotFoundError:
        raise SpecError("no experiment here", str(path.parent), missing) from None
    except RecursionError:
        raise SpecError("cannot read the experiment (nested too deeply)", str(path)) from None
    except (OSError, ValueError) as error:  # TOML's and UTF-8's errors are ValueErrors
        reason = error.strerror if isinstance(error, OSError) else error
        raise SpecError(f"cannot read the experiment ({reason})", str(path)) from None
    _check(found, path)
    return text, found


def _check(found: dict[str, Any], path: Path) -> None:
    """Refuse what could not even be shown in an error: level by level, without recursion."""
    level: list[Any] = [found]
    for _ in range(_DEEPEST):
        if any(isinstance(one, int) and abs(one) >= _LARGEST for one in level):
            raise SpecError("the experiment has a number of more than 64 bits", str(path))
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
    if level:
        raise SpecError("cannot read the experiment (nested too deeply)", str(path))
