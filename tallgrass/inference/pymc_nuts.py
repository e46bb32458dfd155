"""PyMC's own NUTS."""

import logging
import time
import warnings
from typing import Any

import numpy as np

from tallgrass.errors import SamplingError
from tallgrass.inference.draws import STATISTICS, DrawSink, Model, Raw, Watch
from tallgrass.inference.forked import ending_with_this_process
from tallgrass.inference.progress import ChainProgress
from tallgrass.inference.spec import SamplerSpec
from tallgrass.machine import usable_cores

_GRADIENT_SIZES = 1e-2, 1e4  # bounds of the first mass matrix, which is made of gradients
_FIRST_WEIGHT = 10  # draws that the first mass matrix counts for; PyMC's own choice
_EVERY_SECONDS = 1.0
_NAMES = {"model_logp": "lp", "tree_size": "n_steps"}  # of PyMC's own, in what it returns
_NO_DRAWS = "Not enough samples to build a trace."  # PyMC's words


def sample_with_pymc(model: Model, spec: SamplerSpec, watch: Watch) -> Raw:
    """Draw with PyMC's NUTS from the graph that nutpie samples too.

    Raises
    ------
    SamplingError
        When PyMC cannot start or stops by itself, or compiled code is in a folder of another user.
    """
    import pymc as pm
    from pymc.sampling.parallel import ParallelSamplingError

    from tallgrass.inference.cache import keep_private

    keep_private()
    generators = np.random.default_rng(spec.seed).spawn(spec.chains)
    starts = [model.start(generator) for generator in generators]
    total = spec.draws + spec.tune
    observer = watch.observer
    keeper = None if watch.sink is None else _Keeper(watch.sink, spec.tune)
    state: dict[int, list[Any]] = {i: [0, True, 0, 0.0] for i in range(spec.chains)}

    def report(trace: Any, draw: Any) -> None:
        chain = state[draw.chain]
        chain[0], chain[1] = chain[0] + 1, draw.tuning
        if draw.stats:
            chain[2] += int(bool(draw.stats[0].get("diverging", False)) and not draw.tuning)
            chain[3] = float(draw.stats[0].get("step_size", np.nan))
        if keeper is not None:
            keeper.look(trace, draw.chain, draw.is_last)
        if chain[0] % 50 == 0 and watch.stopped():
            raise KeyboardInterrupt("asked to stop")
        if observer is not None and (chain[0] % 50 == 0 or draw.is_last):
            observer(
                tuple(
                    ChainProgress(i, done, total, tuning, divergences, step)
                    for i, (done, tuning, divergences, step) in state.items()
                )
            )

    logging.getLogger("pymc").setLevel(logging.ERROR)
    began = time.perf_counter()
    with model.graph, warnings.catch_warnings(), ending_with_this_process():
        warnings.simplefilter("ignore", UserWarning)
        try:
            tree = pm.sample(
                draws=spec.draws,
                tune=spec.tune,
                chains=spec.chains,
                cores=min(spec.chains, usable_cores()),
                random_seed=spec.seed,
                step=_nuts(model, spec, starts),
                nuts_sampler="pymc",
                initvals=[_constrained(start) for start in starts],
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
        except ValueError as error:
            # PyMC takes an interrupt for the end; where no chain has a draw, it has no trace.
            if str(error) != _NO_DRAWS:
                raise
            return Raw(None, 0.0, time.perf_counter() - began, False, True)
    elapsed = time.perf_counter() - began
    sizes = tree["posterior"].sizes
    # Chains that an interrupt left far behind are left out by PyMC, without a word.
    interrupted = sizes["draw"] < spec.draws or sizes["chain"] < spec.chains
    sampling_s = float(tree["posterior"].attrs.get("sampling_time", elapsed))
    return Raw(tree, elapsed - sampling_s, sampling_s, False, interrupted)


class _Keeper:
    """Hands the rows that PyMC's traces gained to a sink, about once a second for each chain."""

    def __init__(self, sink: DrawSink, tune: int) -> None:
        self._sink, self._tune = sink, tune
        self._taken: dict[int, int] = {}
        self._at: dict[int, float] = {}

    def look(self, trace: Any, chain: int, last: bool) -> None:
        """Take new draws of one chain where it is time to; the chain's last ones at once."""
        now = time.monotonic()
        if self._sink.broken or (
            not last and now - self._at.setdefault(chain, now) < _EVERY_SECONDS
        ):
            return
        rows = slice(self._taken.get(chain, 0), trace.draw_idx)
        told = trace._stats[0]
        self._sink.append(
            chain,
            np.arange(rows.start, rows.stop) < self._tune,
            {name: values[rows] for name, values in trace.samples.items()},
            {name: told[own][rows] for own in told if (name := _NAMES.get(own, own)) in STATISTICS},
        )
        self._taken[chain], self._at[chain] = rows.stop, now


def _nuts(model: Model, spec: SamplerSpec, starts: list[dict[str, Any]]) -> Any:
    """PyMC's NUTS, its first mass matrix from the size of the gradient where the chains start.

    That is nutpie's rule. With PyMC's own, the identity, positions are so light at first that the
    energy of the start can throw one anchor past the other, into the reflected mode.
    """
    import pymc as pm
    from pymc.step_methods.hmc.quadpotential import QuadPotentialDiagAdapt

    graph = model.graph
    gradient = graph.compile_dlogp(mode="NUMBA")
    names = [value.name for value in graph.value_vars]
    points = np.array([np.concatenate([np.ravel(at[name]) for name in names]) for at in starts])
    sizes = [np.abs(gradient({name: np.asarray(at[name]) for name in names})) for at in starts]
    variance = 1 / np.clip(np.mean(sizes, axis=0), *_GRADIENT_SIZES)
    potential = QuadPotentialDiagAdapt(
        points.shape[1], points.mean(axis=0), variance, _FIRST_WEIGHT, rng=spec.seed
    )
    return pm.NUTS(potential=potential, target_accept=spec.target_accept, rng=spec.seed)


def _constrained(start: dict[str, Any]) -> dict[str, Any]:
    """A start as PyMC asks for it: by variable, on the constrained scale."""
    return {
        name.removesuffix("_log__"): np.exp(value) if name.endswith("_log__") else value
        for name, value in start.items()
    }
