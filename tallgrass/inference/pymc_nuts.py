"""PyMC's own NUTS."""

import logging
import multiprocessing
import sys
import time
import warnings
from typing import Any

import numpy as np

from tallgrass.errors import SamplingError, first_line
from tallgrass.inference.draws import STATISTICS, DrawSink, Model, Raw, Watch
from tallgrass.inference.forked import ending_with_this_process
from tallgrass.inference.progress import ChainProgress
from tallgrass.inference.second_start import require_main_guard
from tallgrass.inference.spec import SamplerSpec
from tallgrass.machine import usable_cores

_GRADIENT_SIZES = 1e-2, 1e4  # bounds of the gradients that make the first mass matrix
_FIRST_WEIGHT = 10  # the first mass matrix counts as much as that many draws, PyMC's own choice
_EVERY_SECONDS = 1.0
_EVERY_DRAWS = 50
# PyMC renames these statistics in the trace that it returns.
_RETURNED_NAMES = {"model_logp": "lp", "tree_size": "n_steps"}
# Forked chains need no main guard in the user's script, whatever Python's default.
START_METHOD = "fork" if sys.platform == "linux" else None
_NO_DRAWS = "Not enough samples to build a trace."  # PyMC's message


def sample_with_pymc(model: Model, spec: SamplerSpec, watch: Watch) -> Raw:
    """Draw with PyMC's NUTS, from the same graph as nutpie.

    Raises
    ------
    SamplingError
        When PyMC cannot start or stops by itself, or compiled code is in a folder of another user.
    """
    import pymc as pm
    from pymc.sampling.parallel import ParallelSamplingError

    from tallgrass.inference.cache import keep_private

    keep_private()
    if spec.chains > 1:
        require_main_guard(multiprocessing.get_context(START_METHOD))
    generators = np.random.default_rng(spec.seed).spawn(spec.chains)
    make_start = model.start
    starts = None if make_start is None else [make_start(g) for g in generators]
    total = spec.most_draws + spec.tune
    observer = watch.observer
    keeper = None if watch.sink is None else _Keeper(watch.sink, spec.tune)
    chains = [ChainProgress(i, 0, total, True, 0, None) for i in range(spec.chains)]

    def report(trace: Any, draw: Any) -> None:
        chain = chains[draw.chain]
        divergences, step_size = chain.divergences, chain.step_size
        if draw.stats:
            divergences += int(bool(draw.stats[0].get("diverging", False)) and not draw.tuning)
            step_size = draw.stats[0].get("step_size")
        finished = chain.finished + 1
        chains[draw.chain] = ChainProgress(
            chain.chain,
            finished,
            total,
            draw.tuning,
            divergences,
            None if step_size is None else float(step_size),
        )
        if keeper is not None:
            keeper.look(trace, draw.chain, draw.is_last)
        if finished % _EVERY_DRAWS == 0 and watch.stopped():
            raise KeyboardInterrupt("asked to stop")
        if observer is not None and (finished % _EVERY_DRAWS == 0 or draw.is_last):
            observer(tuple(chains))

    logging.getLogger("pymc").setLevel(logging.ERROR)
    began = time.perf_counter()
    with model.graph, warnings.catch_warnings(), ending_with_this_process():
        warnings.simplefilter("ignore", UserWarning)
        try:
            tree = pm.sample(
                draws=spec.most_draws,
                tune=spec.tune,
                chains=spec.chains,
                cores=min(spec.chains, usable_cores()),
                random_seed=spec.seed,
                nuts_sampler="pymc",
                **_of_our_model(model, spec, starts) if starts else _of_any_model(model, spec),
                var_names=list(model.public),
                compile_kwargs={"mode": "NUMBA"},
                callback=report,
                progressbar=False,
                mp_ctx=START_METHOD,
                compute_convergence_checks=False,
            )
        # RuntimeError with one chain, ParallelSamplingError with several.
        except (RuntimeError, ParallelSamplingError) as error:
            raise SamplingError(
                "PyMC stopped",
                first_line(error),
                "look at the start (init) and the priors",
            ) from error
        except (EOFError, ConnectionError) as error:
            raise SamplingError(
                "a process of PyMC's chains ended before it was done",
                type(error).__name__,
                "is the memory full?",
            ) from error
        except ValueError as error:
            # On an interrupt PyMC returns the draws it has; where no chain has any, it raises this.
            if str(error) != _NO_DRAWS:
                raise
            return Raw(None, 0.0, time.perf_counter() - began, False, True)
    elapsed = time.perf_counter() - began
    sizes = tree["posterior"].sizes
    # PyMC leaves out chains that are far behind at an interrupt, and does not say so.
    interrupted = sizes["draw"] < spec.most_draws or sizes["chain"] < spec.chains
    sampling_s = float(tree["posterior"].attrs.get("sampling_time", elapsed))
    return Raw(tree, elapsed - sampling_s, sampling_s, False, interrupted)


class _Keeper:
    """Hands new rows of PyMC's traces to a sink, about once a second for each chain."""

    def __init__(self, sink: DrawSink, tune: int) -> None:
        self._sink, self._tune = sink, tune
        self._n_taken: dict[int, int] = {}  # by chain
        self._last_look: dict[int, float] = {}

    def look(self, trace: Any, chain: int, last: bool) -> None:
        """Hand new draws of one chain over, unless its last look was a moment ago.

        The last draws of a chain are handed over at once.
        """
        now = time.monotonic()
        if self._sink.broken or (
            not last and now - self._last_look.setdefault(chain, now) < _EVERY_SECONDS
        ):
            return
        first, end = self._n_taken.get(chain, 0), len(trace)
        returned = {name: _RETURNED_NAMES.get(name, name) for name in trace.sampler_vars[0]}
        # Arrays of a trace have room for all its draws.
        self._sink.append(
            chain,
            np.arange(first, end) < self._tune,
            {name: trace.get_values(name, burn=first)[: end - first] for name in trace.varnames},
            {
                common: trace.get_sampler_stats(name, 0, burn=first)[: end - first]
                for name, common in returned.items()
                if common in STATISTICS
            },
        )
        self._n_taken[chain], self._last_look[chain] = end, now


def _of_our_model(model: Model, spec: SamplerSpec, starts: list[dict[str, Any]]) -> dict[str, Any]:
    """Arguments for NUTS that starts where our model says."""
    initial = [_constrained(start) for start in starts]
    return {"step": _nuts(model, spec, starts), "initvals": initial}


def _of_any_model(model: Model, spec: SamplerSpec) -> dict[str, Any]:
    """Arguments for the steps that PyMC chooses: NUTS, and others for discrete variables."""
    # PyMC refuses the setting where no variable is sampled by NUTS.
    return {"target_accept": spec.target_accept} if model.graph.continuous_value_vars else {}


def _nuts(model: Model, spec: SamplerSpec, starts: list[dict[str, Any]]) -> Any:
    """PyMC's NUTS with a first mass matrix from the size of the gradients where the chains start.

    That is nutpie's rule. With PyMC's own first matrix, the identity, positions move so easily at
    first that the energy at the start can carry one anchor past the other, into the reflected mode.
    """
    import pymc as pm
    from pymc.step_methods.hmc.quadpotential import QuadPotentialDiagAdapt

    graph = model.graph
    gradient = graph.compile_dlogp(mode="NUMBA")
    names = [value.name for value in graph.value_vars]
    points = np.array(
        [np.concatenate([np.ravel(start[name]) for name in names]) for start in starts]
    )
    sizes = [
        np.abs(gradient({name: np.asarray(start[name]) for name in names})) for start in starts
    ]
    variance = 1 / np.clip(np.mean(sizes, axis=0), *_GRADIENT_SIZES)
    potential = QuadPotentialDiagAdapt(
        points.shape[1], points.mean(axis=0), variance, _FIRST_WEIGHT, rng=spec.seed
    )
    return pm.NUTS(potential=potential, target_accept=spec.target_accept, rng=spec.seed)


def _constrained(start: dict[str, Any]) -> dict[str, Any]:
    """A start as PyMC takes it: by variable, on the constrained scale."""
    return {
        name.removesuffix("_log__"): np.exp(value) if name.endswith("_log__") else value
        for name, value in start.items()
    }
