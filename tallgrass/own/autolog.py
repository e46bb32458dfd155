"""``tg.autolog``: plain ``pm.sample`` and ``nutpie.sample`` become runs."""

import gc
import logging
import os
import sys
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tallgrass.own.aside import FOLLOWED, Job, begun, finish_all
from tallgrass.tracking import autologging

_PLAIN = (bool, int, float, str)
_RENAMED = {"random_seed": "seed", "nuts_sampler": "sampler"}  # as every run calls them
_FROZEN_BY_PYTHON = 10_000  # its own constants, of which there are some hundreds
_joined: set[str] = set()  # runs of the user's that have draws already
_models: dict[int, tuple[Any, Any]] = {}  # by id of a compiled model: a reference to it, its graph

logger = logging.getLogger(__name__)


def autolog(
    *,
    disable: bool = False,
    exclusive: bool = False,
    silent: bool = False,
    log_datasets: bool = True,
    extra_tags: Mapping[str, str] | None = None,
) -> None:
    """From now on, make a run of what ``pm.sample`` and ``nutpie.sample`` sample.

    The script needs no other change; Bambi's ``fit`` is one of these calls. Params (those of the
    call, each variable's prior, dimensions), the data with their digest, diagnostics, verdict,
    trace and report are those of :func:`tallgrass.sample`. Another process records them, at low
    priority, while yours goes on; a script waits for it at its end. What goes wrong there is a
    warning. Draws are recorded when sampling is over: a script that may be killed in the middle
    should use :func:`tallgrass.sample`.

    Where a run is open (``mlflow.start_run``, or that of ``mlflow run``), the first sampling is
    recorded in it, and further ones in child runs of it. Code inside ``tg.sample`` and ``tg.track``
    is not recorded a second time. Neither are ``nutpie.sample(blocking=False)``, and functions that
    were imported by name (``from pymc import sample``) before.

    Parameters
    ----------
    disable : bool
        Stop making runs.
    exclusive : bool
        Record nothing while a run of yours is open.
    silent : bool
        Give no warnings.
    log_datasets : bool
        Record the observed data: as the run's dataset, and in its trace.
    extra_tags : mapping of str to str, optional
        Tags of every run.

    Examples
    --------
    >>> import nutpie, pymc as pm
    >>> tg.autolog()
    >>> with pm.Model():
    ...     mu = pm.Normal("mu", 0, 5)
    ...     _ = pm.Normal("y", mu, 1, observed=[1.1, 0.7, 1.4])
    ...     idata = pm.sample(draws=500, progressbar=False)
    >>> len(tg.finish_autolog())  # ids of the runs; not needed at the end of a script
    1
    >>> tg.autolog(disable=True)
    """
    options = {
        "disable": disable,
        "exclusive": exclusive,
        "silent": silent,
        "log_datasets": log_datasets,
        "extra_tags": dict(extra_tags or {}),
    }
    autologging.switch(_enable, options)


def finish_autolog() -> list[str]:
    """Wait until everything is recorded; the ids of the runs in their order.

    Every id is given once: a later call gives those that have come since.

    Examples
    --------
    >>> tg.autolog()
    >>> tg.finish_autolog()  # nothing was sampled yet
    []
    >>> tg.autolog(disable=True)
    """
    return finish_all()


def _enable(
    disable: bool = False,
    exclusive: bool = False,
    silent: bool = False,
    log_datasets: bool = True,
    extra_tags: Mapping[str, str] | None = None,
) -> None:
    _harmless(_prepare)
    autologging.patch_when_imported("pymc", {"sample": _around_pymc})
    autologging.patch_when_imported(
        "nutpie", {"sample": _around_nutpie, "compile_pymc_model": _around_compilation}
    )


def _prepare() -> None:
    """Import now what would otherwise be imported in the first sampling."""
    import tallgrass.own.description
    import tallgrass.own.inference_data  # noqa: F401

    import_module("h5netcdf")  # which writes the draws
    if find_spec("distributed") is not None:  # which xarray imports when it first writes
        import_module("distributed")
    autologging.store_uri()


def _around_pymc(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    def graph_of() -> Any:
        import pymc as pm

        return pm.modelcontext(kwargs.get("model"))

    given = {"draws": 1000, **dict(zip(("draws",), args, strict=False)), **kwargs}
    return _recorded(original, args, kwargs, graph_of, given)


def _around_nutpie(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    if kwargs.get("return_raw_trace") or not kwargs.get("blocking", True):
        return original(*args, **kwargs)

    def graph_of() -> Any:
        compiled = args[0] if args else kwargs.get("compiled_model")
        reference, graph = _models.get(id(compiled), (lambda: None, None))
        return graph if reference() is compiled else None

    return _recorded(original, args, kwargs, graph_of, {**kwargs, "sampler": "nutpie"})


def _around_compilation(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Remember of which PyMC model a compiled one is: nutpie does not."""
    compiled = original(*args, **kwargs)
    graph = args[0] if args else kwargs.get("model")
    key = id(compiled)
    _models[key] = (weakref.ref(compiled, lambda _: _models.pop(key, None)), graph)
    return compiled


def _recorded(
    original: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    graph_of: Callable[[], Any],
    given: Mapping[str, Any],
) -> Any:
    """Call the original, and have what it returns recorded."""
    if autologging.is_paused():  # pm.sample calls nutpie.sample
        return original(*args, **kwargs)
    with autologging.paused():
        graph = _harmless(graph_of)
        job = _harmless(lambda: _begin(graph, given))
        began = time.perf_counter()
        try:
            with _spared():
                draws = original(*args, **kwargs)
        except BaseException as error:
            if job is not None:
                job.failed(error)
            raise
        elapsed = time.perf_counter() - began
        if job is not None:
            with_data = bool(autologging.option("log_datasets"))
            if _harmless(lambda: _hand_over(job, draws, graph, elapsed, with_data)) is None:
                job.failed(RuntimeError("the draws could not be recorded"))
        return draws


@contextmanager
def _spared() -> Iterator[None]:
    """Keep Python's garbage collector from what is alive before sampling, until it is over.

    Compiling a model makes the collector go through all objects again and again, those of what we
    imported too: a sampling of four seconds would take a tenth longer.
    """
    if gc.get_freeze_count() > _FROZEN_BY_PYTHON:  # the user's own doing
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _begin(graph: Any, given: Mapping[str, Any]) -> Job:
    run_id = autologging.open_run_id()
    join = run_id if run_id is not None and run_id not in _joined else None
    if join is not None:
        _joined.add(join)
    params = {
        _RENAMED.get(name, name): value
        for name, value in given.items()
        if isinstance(value, _PLAIN) and not name.startswith("progress")
    }
    return begun(
        {
            "name": _name_of(graph),
            "params": params,
            "tags": {"autolog": "true", **autologging.option("extra_tags")},
            "began": time.time(),
            "join": join,
            "parent": None if join else run_id,
            "uri": autologging.store_uri(),
            "environment": {k: v for k, v in os.environ.items() if k.startswith(FOLLOWED)},
        },
        bool(autologging.option("silent")),
    )


def _hand_over(job: Job, draws: Any, graph: Any, elapsed_s: float, with_data: bool) -> bool:
    from tallgrass.own.description import describe
    from tallgrass.own.inference_data import as_trace

    if not hasattr(draws, "children"):  # a MultiTrace, with return_inferencedata=False
        import pymc as pm

        draws = pm.to_inference_data(draws, model=graph)
    trace = as_trace(draws, None if graph is None else graph.coords)
    description = None if graph is None else describe(graph, trace["posterior"].to_dataset())
    if not with_data:
        trace = trace.drop_nodes([n for n in trace.children if n.endswith("_data")])
    job.drawn(trace, description, elapsed_s, with_data)
    return True


def _name_of(graph: Any) -> str:
    """The model's name, else that of the script."""
    script = Path(sys.argv[0]).stem if sys.argv and sys.argv[0].endswith(".py") else ""
    return str(getattr(graph, "name", "") or script.removesuffix("_launcher").strip("_") or "model")


def _harmless(compute: Callable[[], Any]) -> Any:
    """What is computed; None after an error, which is a warning: the user's code goes on."""
    try:
        return compute()
    except Exception as error:
        if not autologging.option("silent"):
            logger.warning("autolog: not recorded (%s: %s)", type(error).__name__, error)
        return None
