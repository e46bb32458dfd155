"""The chains of the blocked Gibbs sampler: they take turns on the threads and hold their draws."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from tallgrass.inference.kernel.sparse import SortedResponses
from tallgrass.inference.progress import ChainProgress, Observer
from tallgrass.inference.spec import SamplerSpec
from tallgrass.items.engines.draw_cache import Keeper
from tallgrass.items.engines.probabilities import evaluate
from tallgrass.items.engines.sweeps import WIDEN, Draws, Priors, Reference, State, Work, sweep
from tallgrass.items.engines.traces import theta_summary
from tallgrass.items.model import POPULATION, SPREAD, ItemCentre, sorted_by_item
from tallgrass.items.priors import (
    LOG_SD_SD,
    MEAN_SD,
    ItemPriors,
)
from tallgrass.items.responses import Responses
from tallgrass.machine import usable_cores

Floats = NDArray[np.float64]

_SEGMENT_S = 0.1  # how long a chain runs before the next chain's turn
_POLL_S = 0.25
_PART = 1024  # parameters whose convergence is checked together
_THETA_BYTES = 2**30  # if the draws of the abilities take more, they are summarised, not kept


@dataclass(eq=False)
class GibbsChain:
    """State, work space and draws of one chain."""

    generator: np.random.Generator
    state: State
    work: Work
    draws: Draws
    done: int = 0  # sweeps, tuning included
    accepted: NDArray[np.int64] = field(default_factory=lambda: np.zeros(3, np.int64))
    length: int = 1  # sweeps that take about _SEGMENT_S
    counted: int = 0  # sweeps that ``accepted`` covers


class GibbsChains:
    """The chains of a calibration, which progress together and can be made longer."""

    def __init__(
        self,
        responses: Responses,
        priors: ItemPriors,
        centre: ItemCentre,
        spec: SamplerSpec,
        observer: Observer | None,
        keeper: Keeper | None,
    ) -> None:
        sparse = sorted_by_item(responses)
        self.data = (sparse.user.view(np.uint32), sparse.bounds)
        self.priors = Priors(
            priors.log_a_mean, priors.log_a_sd, priors.b_mean, priors.b_sd, priors.free
        )
        self.reference = Reference(centre.theta, WIDEN * centre.theta_sd, centre.log_a, centre.b)
        self.step = _scale_step(centre, priors)
        self.spec, self.observer, self.keeper = spec, observer, keeper
        self.draws = spec.most_draws
        self.stop, self._lock = threading.Event(), threading.Lock()
        self.n_users = len(responses.users)
        self.keeps_theta = self._fits(spec.most_draws)
        generators = np.random.default_rng(spec.seed).spawn(spec.chains)
        self.chains = [self._chain(g, centre, sparse) for g in generators]
        self._idle: list[GibbsChain] = []

    def _chain(
        self, generator: np.random.Generator, centre: ItemCentre, sparse: SortedResponses
    ) -> GibbsChain:
        n_users, n_items = len(centre.theta), len(centre.b)

        def around(mean: Floats, sd: Floats) -> Floats:
            return np.asarray(mean + SPREAD * sd * generator.normal(size=len(mean)))

        log_a, b = around(centre.log_a, centre.log_a_sd), around(centre.b, centre.b_sd)
        theta = around(centre.theta, centre.theta_sd)
        proposal, product, change, moved = (np.empty(n_users) for _ in range(4))
        probability, proposed = np.empty((2, len(sparse.user)))
        a = np.exp(log_a)
        evaluate(*self.data, theta, a, a * b, probability)
        # Those of the abilities just drawn, which spread wider than the posterior.
        population = np.array([theta.mean(), np.log(theta.std())]) if self.priors.free else [0, 0]
        state = State(theta, log_a, b, probability, np.asarray(population, np.float64))
        work = Work(proposal, product, change, moved, proposed)
        return GibbsChain(generator, state, work, self._room(n_users, n_items))

    def _room(self, n_users: int, n_items: int) -> Draws:
        rows = self.draws if self.keeps_theta else 0
        return Draws(
            np.empty((self.draws, n_items)),
            np.empty((self.draws, n_items)),
            np.empty((rows, n_users), np.float32),
            np.zeros((2, n_users)),
            np.zeros((2, n_users)),
            np.empty((self.draws if self.priors.free else 0, 2)),
        )

    def extend(self, draws: int) -> None:
        """Make room for more draws and keep the existing ones."""
        n_before, self.draws = self.draws, draws
        self.keeps_theta = self.keeps_theta and self._fits(draws)
        for chain in self.chains:
            previous = chain.draws
            extended = self._room(len(chain.state.theta), len(chain.state.b))
            for name in ("a", "b", "theta", "population"):
                old_draws, new_draws = getattr(previous, name), getattr(extended, name)
                if len(new_draws):
                    new_draws[: len(old_draws)] = old_draws
            # Draws double, so both old halves together are the new first half.
            extended.theta_sums[0] = previous.theta_sums.sum(axis=0)
            extended.theta_squares[0] = previous.theta_squares.sum(axis=0)
            chain.draws = extended
        assert draws == 2 * n_before

    def _fits(self, draws: int) -> bool:
        """Whether this many draws of the abilities can be kept."""
        return 4 * self.n_users * self.spec.chains * draws <= _THETA_BYTES

    def run(self) -> None:
        """Sweep until every chain has its draws; the chains progress together."""
        self._idle = list(self.chains)
        workers = min(self.spec.chains, usable_cores())
        pool = ThreadPoolExecutor(workers)
        try:
            self._watch([pool.submit(self._work) for _ in range(workers)])
        except KeyboardInterrupt:
            self.stop.set()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
        self._report()

    def _work(self) -> None:
        """Run the chain that is farthest behind for a moment, then choose again."""
        total = self.spec.tune + self.draws
        while not self.stop.is_set():
            with self._lock:
                behind = [chain for chain in self._idle if chain.done < total]
                if not behind:
                    return
                chain = min(behind, key=lambda waiting: waiting.done)
                self._idle.remove(chain)
            self._sweep(chain, total)
            with self._lock:
                self._idle.append(chain)

    def _watch(self, running: list[Future[None]]) -> None:
        pending = set(running)
        while pending:
            finished, pending = wait(pending, timeout=_POLL_S)
            for future in finished:
                future.result()
            self._report()
            if self.keeper is not None and pending:
                self.keeper.look(self.chains)

    def _sweep(self, chain: GibbsChain, total: int) -> None:
        tuning = chain.done < self.spec.tune
        n = min(chain.length, (self.spec.tune if tuning else total) - chain.done)
        first = len(chain.draws.a) if tuning else chain.done - self.spec.tune
        began = time.perf_counter()
        accepted = sweep(
            chain.generator, n, self.data, chain.state, self.reference, self.priors,
            self.step, chain.work, chain.draws, first,
        )  # fmt: skip
        elapsed_s = time.perf_counter() - began
        chain.length = max(1, min(1000, int(n * _SEGMENT_S / max(elapsed_s, 1e-6))))
        if not tuning:
            chain.accepted += np.array(accepted)
            chain.counted += n
        chain.done += n

    def _report(self) -> None:
        if self.observer is not None:
            total = self.spec.tune + self.draws
            self.observer(
                tuple(
                    ChainProgress(i, c.done, total, c.done < self.spec.tune, 0, self.step)
                    for i, c in enumerate(self.chains)
                )
            )

    @property
    def n_complete(self) -> int:
        """Draws that every chain has."""
        return max(0, min(chain.done for chain in self.chains) - self.spec.tune)

    @property
    def names(self) -> tuple[str, ...]:
        """The arrays of draws that are kept."""
        names = ("a", "b", "theta") if self.keeps_theta else ("a", "b")
        return (*names, "population") if self.priors.free else names

    def draws_of(self, name: str, entries: slice = slice(None)) -> NDArray[Any]:
        """Draws of a variable, shape (chain, draw, entry)."""
        n = self.n_complete
        return np.stack([getattr(chain.draws, name)[:n, entries] for chain in self.chains])

    def parts(self) -> Iterator[NDArray[Any]]:
        """All draws, some entries at a time, because a copy of all theta takes longer."""
        for name in self.names:
            for low in range(0, getattr(self.chains[0].draws, name).shape[1], _PART):
                yield self.draws_of(name, slice(low, low + _PART))

    def groups(self) -> dict[str, xr.Dataset]:
        """The groups of the trace that come from the sampler."""
        posterior: dict[str, tuple[tuple[str, ...], NDArray[Any]]] = {
            name: (("chain", "draw", "user" if name == "theta" else "item"), self.draws_of(name))
            for name in self.names
            if name != "population"
        }
        if self.priors.free:
            drawn = self.draws_of("population")
            posterior |= {
                name: (("chain", "draw"), drawn[..., k]) for k, name in enumerate(POPULATION)
            }
        n, chains = self.n_complete, len(self.chains)
        coords = {"chain": np.arange(chains), "draw": np.arange(n)}
        state = self.chains[0].state
        size = np.array([len(state.theta), len(state.b), 1.0])
        rates = np.stack([c.accepted / (size * max(c.counted, 1)) for c in self.chains])
        stats = {
            f"acceptance_{name}": ("chain", rates[:, k])
            for k, name in enumerate(("theta", "items", "scale"))
        }
        groups = {
            "posterior": xr.Dataset(posterior, coords),
            "sample_stats": xr.Dataset(stats, {"chain": coords["chain"]}),
        }
        if not self.keeps_theta and n == self.draws:
            sums = np.stack([chain.draws.theta_sums for chain in self.chains])
            squares = np.stack([chain.draws.theta_squares for chain in self.chains])
            groups["theta_summary"] = theta_summary(sums, squares, n)
        return groups


def _scale_step(centre: ItemCentre, priors: ItemPriors) -> float:
    """Step of the scale move: 2.4 times the SD of log s given all else, near the mode."""
    if priors.free:
        curvature = 2.0 * centre.population[0] ** 2 / MEAN_SD**2 + LOG_SD_SD**-2.0
    else:
        curvature = 2.0 * np.sum(centre.theta**2 + centre.theta_sd**2)
    curvature += np.sum(priors.log_a_sd**-2.0)
    curvature += np.sum((2.0 * centre.b**2 - centre.b * priors.b_mean) / priors.b_sd**2)
    return float(2.4 / np.sqrt(max(curvature, 1.0)))
