"""A user's Python file that makes a model: named as ``FILE.py:FUNCTION``, read, digested, called.

Code is run only where the user names the file. What a stored run says of its file is marked
(:func:`from_store`), and never called.
"""

import hashlib
import importlib.util
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Self

from tallgrass.errors import SpecError, first_line, nearest
from tallgrass.inputs.paths import opened

SOURCE = "model/source.py"  # the file, as an artifact
DIGEST_TAG = "model.file.sha256"
FILE_TAG = "model.file"
_STORED = "stored:"
_REFERENCE = re.compile(rf"(?:{_STORED})?(?P<file>[^\x00]+\.py):(?P<function>[^\W\d]\w*)")
_LONGEST = 4 << 20  # bytes of a file


def is_reference(model: str) -> bool:
    """Whether the name of a model is that of a function in a file.

    Examples
    --------
    >>> is_reference("my_models.py:rasch"), is_reference("flat")
    (True, False)
    """
    return _REFERENCE.fullmatch(model) is not None


def short(model: str) -> str:
    """The name of a model, of a file without its folders.

    Examples
    --------
    >>> short("/home/me/my_models.py:rasch"), short("flat")
    ('my_models.py:rasch', 'flat')
    """
    match = _REFERENCE.fullmatch(model)
    return model if match is None else f"{Path(match['file']).name}:{match['function']}"


def from_store(model: str) -> str:
    """The name of a model as a stored run has it, by which no code is ever called."""
    known = not is_reference(model) or model.startswith(_STORED)
    return model if known else f"{_STORED}{model}"


def as_named(model: str) -> str:
    """The name of a model as it was given to the run."""
    return model.removeprefix(_STORED)


@dataclass(frozen=True)
class ModelFile:
    """A function in a file, and what is known of the file.

    Parameters
    ----------
    path : Path
        Where the file is.
    function : str
        Name of the function.
    text : str
        The file's contents.
    commit : str
        Git commit of the folder; empty where it is no repository.
    changed : bool
        Whether the file differs from that commit, or is not in it.
    """

    path: Path
    function: str
    text: str
    commit: str = ""
    changed: bool = False

    @classmethod
    def read(cls, model: str, folder: Path | None = None) -> Self:
        """Read the file that a model is named by; its code does not run.

        Parameters
        ----------
        model : str
            ``FILE.py:FUNCTION``.
        folder : Path, optional
            Where a relative path begins; the working folder without it.

        Raises
        ------
        SpecError
            When the file cannot be read, or only a stored run names it.
        """
        match = _REFERENCE.fullmatch(model)
        if match is None:
            raise SpecError("not a model in a file", model, "write it as my_models.py:function")
        if model.startswith(_STORED):
            raise SpecError(
                "code does not run because a stored run names it",
                as_named(model),
                f"name the file yourself: --model {as_named(model)}",
            )
        path = (folder or Path()) / Path(match["file"]).expanduser()
        try:
            with opened(path) as file:
                content = file.read(_LONGEST + 1)
            text = content.decode("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise SpecError(
                "cannot read the file of the model", str(path), first_line(error)
            ) from None
        if len(content) > _LONGEST:
            raise SpecError("the file of the model is longer than 4 MiB", str(path))
        commit, changed = _git_state(path)
        return cls(path.absolute(), match["function"], text, commit, changed)

    @property
    def sha256(self) -> str:
        """SHA-256 (64 hex digits) of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def name(self) -> str:
        """The file's name and the function."""
        return f"{self.path.name}:{self.function}"

    @property
    def tags(self) -> Mapping[str, str]:
        """What a run is found by: file, digest and state in git."""
        tags = {FILE_TAG: self.name, DIGEST_TAG: self.sha256}
        if self.commit:
            tags |= {"model.git.commit": self.commit, "model.git.dirty": str(self.changed).lower()}
        return tags

    @property
    def texts(self) -> Mapping[str, str]:
        """The file as an artifact."""
        return {SOURCE: self.text}

    def call(self, *arguments: object) -> Any:
        """Run the file, and call the function.

        Raises
        ------
        SpecError
            When the file or the function fails, or there is no such function; the error says in
            which line.
        """
        with _beside(self.path.parent):
            module = self._module()
            function = getattr(module, self.function, None)
            if not callable(function):
                names = [n for n, value in vars(module).items() if callable(value) and n[0] != "_"]
                raise SpecError(
                    f"no function {self.function} in the file of the model",
                    str(self.path),
                    nearest(self.function, names) if names else "the file defines no function",
                )
            try:
                return function(*arguments)
            except Exception as error:
                raise self._error("the function of the model failed", error) from error

    def _module(self) -> ModuleType:
        name = f"tallgrass_model_{self.sha256[:12]}"
        spec = importlib.util.spec_from_loader(name, loader=None, origin=str(self.path))
        assert spec is not None  # there is no loader that could refuse
        module = importlib.util.module_from_spec(spec)
        module.__file__ = str(self.path)
        sys.modules[name] = module  # dataclasses and pickles look a class's module up
        try:
            exec(compile(self.text, str(self.path), "exec"), vars(module))
        except Exception as error:
            raise self._error("the file of the model cannot be run", error) from error
        return module

    def _error(self, what: str, error: Exception) -> SpecError:
        lines = [
            frame.lineno
            for frame in traceback.extract_tb(error.__traceback__)
            if frame.filename == str(self.path)
        ]
        line = error.lineno if isinstance(error, SyntaxError) else (lines[-1] if lines else None)
        where = f"{self.path.name}, line {line}" if line else self.path.name
        return SpecError(what, where, f"{type(error).__name__}: {first_line(error)}")


@contextmanager
def _beside(folder: Path) -> Iterator[None]:
    """Let the file import modules that lie beside it."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def _git_state(path: Path) -> tuple[str, bool]:
    from tallgrass.tracking.writing.git import git

    commit = git(path.parent, "rev-parse", "HEAD")
    if not commit:
        return "", False
    return commit, git(path.parent, "status", "--porcelain", "--ignored", "--", path.name) != ""
