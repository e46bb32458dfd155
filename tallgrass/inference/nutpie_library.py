"""nutpie, without what it imports only to turn draws into ArviZ's data.

We take its draws as they are (:mod:`tallgrass.inference.arrow`). ArviZ brings SciPy's statistics
and Matplotlib with it, eight tenths of a second, so that it is loaded at its first use: by nutpie
where somebody asks for ArviZ's data, or by a user who imports it, and who sees no difference.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType


class _Later:
    """Finds one module, and lets it be loaded at its first use."""

    def __init__(self, name: str) -> None:
        self._name = name

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != self._name:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec


@contextmanager
def loaded_when_used(name: str) -> Iterator[None]:
    """A module that is imported in this context is loaded at its first use.

    One that is loaded already stays as it is.
    """
    finder = _Later(name)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


with loaded_when_used("arviz"):
    import nutpie
    from nutpie.compile_pymc import CompiledPyMCModel

__all__ = ["CompiledPyMCModel", "nutpie"]
