"""The samplers: nutpie (default) and PyMC's NUTS."""

import logging
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.metadata import version
from typing import Any

import numpy as np
import xarray as xr

from tallgrass.errors import SamplingError, first_line
from tallgrass.inference.draws import (
    DrawSink,
    Interrupted,
    Model,
    Raw,
    Sampled,
    Watch,
    complete_part,
    never,
)
from tallgrass.inference.progress import ChainProgress, Observer
from tallgrass.inference.pymc_nuts import sample_with_pymc
from tallgrass.inference.sampler_threads import thread_ids, wait_for_end_of_others
from tallgrass.inference.spec import AUTO, SamplerSpec
from tallgrass.machine import usable_cores

_PROGRESS_MS = 250
_log = logging.getLogger(__name__)


def sample_and_assemble(
    model: Model,
    spec: SamplerSpec,
    assembled: Callable[[xr.DataTree, Mapping[str, Any]], xr.DataTree],
    observer: Observer | None = None,
    sink: DrawSink | None = None,
    stopped: Callable[[], bool] = never,
) -> Sampled:
    """Draw from the posterior of a model of any data.

    Parameters
    ----------
    assembled : callable
        (trace of the sampler, attributes of the root) -> the trace as it is stored.
    observer, sink, stopped
        As in :class:`tallgrass.inference.draws.Watch`. An error that the observer raises never
        stops sampling; the first one is logged.

    Raises
    ------
    Interrupted
        On Ctrl-C or SIGTERM; it carries the draws made until then.
    SamplingError
        When the sampler cannot start or stops by itself.
    """
    attributes = {
        "sampler": spec.sampler,
        "sampler_version": version(spec.sampler),
        "trajectory": trajectory(model.trajectory, spec),
    }
    if sink is not None:
        variables = model.variables
        frame = assembled(_without_draws(variables, spec.chains), attributes)
        sink.begin(spec.chains, variables, frame)
    watch = Watch(observer and harmless(observer), sink, stopped)
    raw = SAMPLERS[spec.sampler](model, spec, watch)
    sampled = None
    if raw.tree is not None:
        times = {"compile_s": raw.compile_s, "sampling_s": raw.sampling_s}
        trace = assembled(raw.tree, {**attributes, **times})
        sampled = Sampled(trace, raw.compile_s, raw.sampling_s, raw.from_cache)
    if raw.interrupted:
        raise Interrupted(sampled)
    if sampled is None:
        raise SamplingError("the sampler returned no draws", spec.sampler)
    return sampled


def trajectory(of_model: str, spec: SamplerSpec) -> str:
    """The steps that trajectories are made of: those of the spec, else those that suit the model.

    ``leapfrog`` alternates kicks by the gradient with straight drifts. ``normal`` rotates position
    and momentum as a standard normal density would, in the units of the mass matrix, and kicks by
    the rest of the gradient (Shahbaba, Lan, Johnson & Neal 2014, "Split Hamiltonian Monte Carlo").
    The error of such a step comes only from the part of the density that is not normal, so that
    steps are longer. Both sample the same posterior.
    """
    if spec.trajectory != "auto":
        return spec.trajectory
    return of_model if spec.sampler == "nutpie" else "leapfrog"


def harmless(observer: Observer) -> Observer:
    """The observer, whose first error is logged and whose errors never reach the sampler."""
    failed = False

    def report(progress: tuple[ChainProgress, ...]) -> None:
        nonlocal failed
        try:
            observer(progress)
        except Exception:
            if not failed:
                _log.warning("cannot report the progress of sampling", exc_info=True)
            failed = True

    return report


def _without_draws(
    variables: Mapping[str, tuple[tuple[str, ...], tuple[int, ...]]], chains: int
) -> xr.DataTree:
    """The trace of a sampler that has made no draw."""
    posterior = {
        name: (["chain", "draw", *dims], np.empty((chains, 0, *shape)))
        for name, (dims, shape) in variables.items()
    }
    return xr.DataTree.from_dict({"posterior": xr.Dataset(posterior), "sample_stats": xr.Dataset()})


def _with_nutpie(model: Model, spec: SamplerSpec, watch: Watch) -> Raw:
    # To import nutpie takes seconds, and runs with PyMC do not need it.
    from tallgrass.inference.arrow import take_draws
    from tallgrass.inference.follower import Follower, wait_for
    from tallgrass.inference.nutpie_library import nutpie

    observer = watch.observer
    began = time.perf_counter()
    if model.start is None:
        compiled, from_cache = _compiled_by_nutpie(model), False
    elif spec.adaptation == "flow":
        from tallgrass.inference.flow import compile_flow

        compiled, from_cache = compile_flow(model), False
    else:
        from tallgrass.inference.compiled import compile_model

        code = compile_model(model)
        compiled, from_cache = code.model, code.from_cache
    compile_s = time.perf_counter() - began

    def report(chains: list[Any]) -> None:
        if observer is not None:
            observer(
                tuple(
                    ChainProgress(
                        i, x.finished_draws, x.total_draws, x.tuning, x.divergences, x.step_size
                    )
                    for i, x in enumerate(chains)
                )
            )

    began = time.perf_counter()
    before = thread_ids()
    running: Any
    try:
        running = nutpie.sample(
            compiled,
            draws=spec.most_draws,
            tune=spec.tune,
            chains=spec.chains,
            cores=min(spec.chains, usable_cores()),
            seed=spec.seed,
            adaptation=spec.adaptation,
            target_accept=spec.target_accept,
            # nutpie's documentation does not mention this setting.
            exact_normal_trajectory=trajectory(model.trajectory, spec) == "normal",
            progress_bar=False,
            progress_callback=report,
            progress_rate=_PROGRESS_MS,
            blocking=False,
            return_raw_trace=True,
        )
    except RuntimeError as error:
        raise SamplingError("nutpie could not start", first_line(error)) from error
    interrupted = False
    tree: xr.DataTree | None
    follower = None if watch.sink is None else Follower(running, watch.sink)
    try:
        made = wait_for(running, follower, watch.stopped, spec.draws == AUTO)
        if made is None:
            tree = _partial(running, compiled.coords, every=True)
        else:
            tree = take_draws(made, compiled.coords)
            if follower is not None:
                follower.finish(tree, spec.tune)
    except KeyboardInterrupt:
        interrupted = True
        tree = _partial(running, compiled.coords)
    except BaseException as error:
        # The sampler ends its threads when nothing refers to it any more, these frames neither.
        reason = first_line(error)
        traceback.clear_frames(error.__traceback__)
        with suppress(RuntimeError):
            running.cancel()
        running = follower = None
        wait_for_end_of_others(before)
        if not isinstance(error, RuntimeError):
            raise
        raise SamplingError(
            "nutpie stopped", reason, "look at the start (init) and the priors, or try sampler=pymc"
        ) from error
    return Raw(tree, compile_s, time.perf_counter() - began, from_cache, interrupted)


def _compiled_by_nutpie(model: Model) -> Any:
    """Nutpie's own compilation, for a model that is not ours."""
    from tallgrass.inference.nutpie_library import nutpie

    try:
        return nutpie.compile_pymc_model(model.graph, var_names=list(model.public))
    except (ValueError, NotImplementedError) as error:
        raise SamplingError(
            "nutpie cannot compile the model", first_line(error), "try sampler=pymc"
        ) from error


def _partial(running: Any, coords: Any, every: bool = False) -> xr.DataTree | None:
    """The draws made before the end that is asked for; None where no chain has finished tuning."""
    from tallgrass.inference.arrow import take_draws

    try:
        tree = take_draws(running.abort(), coords)
    except RuntimeError:
        return None
    return complete_part(tree, every)


SAMPLERS: dict[str, Callable[[Model, SamplerSpec, Watch], Raw]] = {
    "nutpie": _with_nutpie,
    "pymc": sample_with_pymc,
}
