"""MLflow's autologging machinery: switch it, patch functions of libraries, and pause it."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import ModuleType
from typing import Any

NAME = "tallgrass"  # of the integration, as MLflow keeps its settings
_RUN_ID = "MLFLOW_RUN_ID"  # the run that ``mlflow run`` made for this process

Around = Callable[..., Any]

_paused: ContextVar[bool] = ContextVar("paused", default=False)


@contextmanager
def paused() -> Iterator[None]:
    """Record nothing of what is sampled inside: it belongs to a run already."""
    token = _paused.set(True)
    try:
        yield
    finally:
        _paused.reset(token)


def is_paused() -> bool:
    """Whether what is sampled now belongs to a run already."""
    return _paused.get()


def switch(function: Callable[..., None], options: Mapping[str, object]) -> None:
    """Set the options of the integration; unless they disable it, ``function`` makes its patches.

    MLflow takes earlier patches away first, so that to switch on twice is as good as once.

    Parameters
    ----------
    function : callable
        Takes the options; its signature has their defaults, ``disable`` and ``silent`` among them.
    options : mapping
        What the user chose.
    """
    _machinery().autologging_integration(NAME)(function)(**options)


def patch_when_imported(library: str, patches: Mapping[str, Around]) -> None:
    """Replace functions of a library, now or as soon as it is imported.

    Parameters
    ----------
    library : str
        Name of the module.
    patches : mapping of str to callable
        By name of a function, what is called instead: (original, arguments ...). MLflow turns its
        errors into warnings, but for those of the original.
    """
    from mlflow.utils.import_hooks import register_post_import_hook

    machinery = _machinery()

    def patch(module: ModuleType) -> None:
        if not machinery.autologging_is_disabled(NAME):
            for name, around in patches.items():
                # MLflow looks for an original that it has stored before. PyMC answers to any name
                # that it does not have by importing all of ArviZ's plots, for seconds.
                vars(module).setdefault(f"_gorilla_original_{name}", getattr(module, name))
                machinery.safe_patch(NAME, module, name, around)

    if library in sys.modules:
        patch(sys.modules[library])
    else:
        register_post_import_hook(patch, library, overwrite=True)


def option(name: str) -> Any:
    """The value of an option of the integration."""
    return _machinery().get_autologging_config(NAME, name)


def open_run_id() -> str | None:
    """Id of the run that the user's code has open in MLflow, or that ``mlflow run`` made.

    The latter is given once, as MLflow does: the next run of this process is a new one.
    """
    import mlflow

    run = mlflow.active_run()
    return os.environ.pop(_RUN_ID, None) if run is None else str(run.info.run_id)


def store_uri() -> str:
    """URI of the store that MLflow uses in this process, valid in others on this machine."""
    from tallgrass.tracking.store import absolute_uri

    return absolute_uri()


def _machinery() -> Any:
    """What MLflow's own integrations are built of; it has no types."""
    from mlflow.utils import autologging_utils

    return autologging_utils
