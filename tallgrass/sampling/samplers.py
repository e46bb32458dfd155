"""The samplers: nutpie (default) and PyMC's NUTS."""

import dataclasses
import inspect
import logging
import os
import time
import warnings
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from tallgrass.errors import SamplingError
from tallgrass.sampling.draws import (
    ChainProgress,
    Interrupted,
    Model,
    Observer,
    Sampled,
    assemble,
    complete_part,
)
from tallgrass.specs import SamplerSpec
from tallgrass.votes import VoteMatrix

_PROGRESS_MS = 250
_log = logging.getLogger(__name__)


class _Raw(NamedTuple):
    tree: xr.DataTree | None
    compile_s: float
    sampling_s: float
    from_cache: bool
    interrupted: bool


def sample(
    model: Model,
    votes: VoteMatrix,
    spec: SamplerSpec,
    scores: Any = None,
    attributes: Mapping[str, Any] | None = None,
    observer: Observer | None = None,
) -> Sampled:
    """Draw from the posterior.

    Parameters
    ----------
    model : Model
        From :func:`tallgrass.models.build_model`.
    votes : VoteMatrix
        The votes of the model, kept with the draws.
    spec : SamplerSpec
        Sampler, draws, tuning, chains, seed, target acceptance.
    scores : ndarray, optional
        The start's score of every legislator, kept with the draws.
    attributes : mapping, optional
        More attributes of the trace's root.
    observer : callable, optional
        Called a few times a second with the progress of all chains, perhaps from a thread of the
        sampler's. An error it raises never stops sampling; the first one is logged.

    Raises
    ------
    Interrupted
        On Ctrl-C or SIGTERM; it carries the draws made until then.
    SamplingError
        When the sampler cannot start or stops by itself.
    """
    raw = SAMPLERS[spec.sampler](model, spec, observer and _harmless(observer))
    sampled = None
    if raw.tree is not None:
        settings = {
            "sampler": spec.sampler,
            "sampler_version": version(spec.sampler),
            "compile_s": raw.compile_s,
            "sampling_s": raw.sampling_s,
            **(attributes or {}),
        }
        trace = assemble(raw.tree, model, votes, scores, settings)
        sampled = Sampled(trace, raw.compile_s, raw.sampling_s, raw.from_cache)
    if raw.interrupted:
        raise Interrupted(sampled)
    if sampled is None:
        raise SamplingError("the sampler returned no draws", spec.sampler)
    return sampled


def _harmless(observer: Observer) -> Observer:
    """The observer, its errors logged once and kept from the sampler."""
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


def _with_nutpie(model: Model, spec: SamplerSpec, observer: Observer | None) -> _Raw:
    # Importing nutpie and compiling takes seconds: only when it is used.
    import nutpie

    began = time.perf_counter()
    if spec.adaptation == "flow":
        compiled, cached = _flow_model(model), False
    else:
        from tallgrass.sampling.compiled import compile_model

        code = compile_model(model)
        compiled, cached = code.model, code.from_cache
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
    try:
        running = nutpie.sample(
            compiled,
            draws=spec.draws,
            tune=spec.tune,
            chains=spec.chains,
            cores=min(
                spec.chains,
                os.process_cpu_count() if hasattr(os, "process_cpu_count") else os.cpu_count() or 1,
            ),
            seed=spec.seed,
            adaptation=spec.adaptation,
            target_accept=spec.target_accept,
            progress_bar=False,
            progress_callback=report,
            progress_rate=_PROGRESS_MS,
            blocking=False,
        )
    except RuntimeError as error:
        raise SamplingError("nutpie could not start", str(error).splitlines()[0]) from error
    interrupted = False
    try:
        tree = running.wait()
    except KeyboardInterrupt:
        interrupted = True
        tree = _partial(running)
    except RuntimeError as error:
        raise SamplingError(
            "nutpie stopped",
            str(error).splitlines()[0],
            "look at the start (init) and the priors, or try sampler=pymc",
        ) from error
    return _Raw(tree, compile_s, time.perf_counter() - began, cached, interrupted)


def _partial(running: Any) -> xr.DataTree | None:
    """The draws made before an interrupt; None where no chain has finished tuning."""
    try:
        with warnings.catch_warnings():
            # "Found chain dimension to be longer than draw dimension": of course, this early.
            warnings.simplefilter("ignore", UserWarning)
            tree = running.abort()
    except RuntimeError:
        return None
    return complete_part(tree)


def _flow_model(model: Model) -> Any:
    """A model for normalizing-flow adaptation, which runs on JAX, an optional extra."""
    try:
        import equinox  # noqa: F401  (nutpie imports it late, with a long traceback)
        import flowjax  # noqa: F401
        import jax  # noqa: F401
    except ImportError as error:
        raise SamplingError(
            "adaptation=flow needs JAX",
            str(error),
            "install it with: pip install 'tallgrass[flow]'",
        ) from None
    import nutpie

    from tallgrass import kernel_jax
    from tallgrass.sampling.compiled import flat_start

    kernel_jax.register()
    # The flow moves points inside JAX, so JAX has to differentiate the log-density itself.
    compiled = nutpie.compile_pymc_model(
        model.graph, backend="jax", gradient_backend="jax", var_names=list(model.public)
    )
    logp = compiled._raw_logp_fn
    # nutpie hands the flow a log-density that still waits for the model's shared variables.
    waiting = list(inspect.signature(logp).parameters)[1:]
    shared = {name: compiled._shared_data[name] for name in waiting}
    names = [value.name for value in model.graph.value_vars]
    return dataclasses.replace(
        compiled,
        _raw_logp_fn=lambda x: logp(x, **shared),
        _make_initial_points=flat_start(model, names),
    )


def _with_pymc(model: Model, spec: SamplerSpec, observer: Observer | None) -> _Raw:
    import pymc as pm
    from pymc.sampling.parallel import ParallelSamplingError

    generators = np.random.default_rng(spec.seed).spawn(spec.chains)
    starts = [_constrained(model, generator) for generator in generators]
    total = spec.draws + spec.tune
    state: dict[int, list[Any]] = {i: [0, True, 0, 0.0] for i in range(spec.chains)}

    def report(trace: Any, draw: Any) -> None:
        chain = state[draw.chain]
        chain[0], chain[1] = chain[0] + 1, draw.tuning
        if draw.stats:
            chain[2] += int(bool(draw.stats[0].get("diverging", False)) and not draw.tuning)
            chain[3] = float(draw.stats[0].get("step_size", np.nan))
        if observer is not None and (chain[0] % 50 == 0 or draw.is_last):
            observer(
                tuple(
                    ChainProgress(i, done, total, tuning, divergences, step)
                    for i, (done, tuning, divergences, step) in state.items()
                )
            )

    logging.getLogger("pymc").setLevel(logging.ERROR)
    began = time.perf_counter()
    with model.graph, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            tree = pm.sample(
                draws=spec.draws,
                tune=spec.tune,
                chains=spec.chains,
                cores=min(spec.chains, os.cpu_count() or 1),
                random_seed=spec.seed,
                target_accept=spec.target_accept,
                nuts_sampler="pymc",
                init="adapt_diag",
                initvals=starts,
                var_names=list(model.public),
                compile_kwargs={"mode": "NUMBA"},
                callback=report,
                progressbar=False,
                compute_convergence_checks=False,
            )
        except (RuntimeError, ParallelSamplingError) as error:  # one chain; several
            raise SamplingError(
                "PyMC stopped",
                str(error).splitlines()[0],
                "look at the start (init) and the priors",
            ) from error
        except ValueError:
            # PyMC takes an interrupt for the end; where no chain has a draw, it has no trace.
            if max(chain[0] for chain in state.values()) > spec.tune:
                raise
            return _Raw(None, 0.0, time.perf_counter() - began, False, True)
    elapsed = time.perf_counter() - began
    sizes = tree["posterior"].sizes
    # Chains that an interrupt left far behind are left out by PyMC, without a word.
    interrupted = sizes["draw"] < spec.draws or sizes["chain"] < spec.chains
    sampling_s = float(tree["posterior"].attrs.get("sampling_time", elapsed))
    return _Raw(tree, elapsed - sampling_s, sampling_s, False, interrupted)


def _constrained(model: Model, generator: np.random.Generator) -> dict[str, Any]:
    """A start as PyMC asks for it: by variable, on the constrained scale."""
    return {
        name.removesuffix("_log__"): np.exp(value) if name.endswith("_log__") else value
        for name, value in model.start(generator).items()
    }


SAMPLERS: dict[str, Callable[[Model, SamplerSpec, Observer | None], _Raw]] = {
    "nutpie": _with_nutpie,
    "pymc": _with_pymc,
}
