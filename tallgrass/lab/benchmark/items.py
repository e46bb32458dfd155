"""Measure item engines on simulated responses: time, memory, convergence, recovery."""

import multiprocessing
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallgrass.inference.spec import SamplerSpec
from tallgrass.items.responses import Anchors, Responses
from tallgrass.lab.benchmark.kernel import _high_water

Floats = NDArray[np.float64]

ENGINES = ("nuts", "gibbs", "map", "mml")
COVERAGE = 0.94
_Z = 1.8807936081512509  # of a normal interval with that coverage


class Size(NamedTuple):
    """Numbers of users, of items, of anchors among the items, and of responses per user."""

    n_users: int = 5000
    n_items: int = 500
    n_anchors: int = 50
    per_user: int = 20


class Truth(NamedTuple):
    """Responses and their true parameters."""

    responses: Responses
    anchors: Anchors
    values: dict[str, Floats]


@dataclass(frozen=True)
class Recovery:
    """Estimates against the truth: correlation, RMSE, share of 94 % intervals that contain it."""

    correlation: float
    rmse: float
    coverage: float


@dataclass(frozen=True, eq=False)
class EngineMeasured:
    """Measurements of one engine on the simulated responses.

    Parameters
    ----------
    seconds : float
        Time in seconds to sample, or to estimate with standard errors.
    total_s : float
        Time in seconds of the whole call, compilation and start included.
    peak_bytes : int
        Peak memory of the process; 0 if the system does not report it.
    rhat, ess : float
        Highest R-hat and lowest ESS (bulk and tail) over a, b and theta; NaN for point estimates.
    divergences : float
        Divergences; NaN for engines without trajectories.
    draws : int
        Kept draws per chain; 0 for point estimates.
    recovery : dict
        Recovery of a, b and theta.
    means, mcse : dict
        Posterior means and their Monte Carlo standard errors (zero for point estimates).
    """

    engine: str
    seconds: float
    total_s: float
    peak_bytes: int
    rhat: float
    ess: float
    divergences: float
    draws: int
    recovery: dict[str, Recovery]
    means: dict[str, Floats]
    mcse: dict[str, Floats]

    def z_against(self, other: "EngineMeasured") -> dict[str, float]:
        """SD of the differences of posterior means in Monte Carlo standard errors, by variable.

        It is about 1 if both sample the same posterior.
        """
        return {
            name: float(
                np.std(
                    (self.means[name] - other.means[name])
                    / np.hypot(self.mcse[name], other.mcse[name])
                )
            )
            for name in self.means
            if name in other.means
        }


def simulate(size: Size, seed: int) -> Truth:
    """Responses from the model: parameters from its priors, a random set of items per user."""
    generator = np.random.default_rng(seed)
    theta = generator.normal(size=size.n_users)
    log_a, b = 0.2 * generator.normal(size=size.n_items), generator.normal(size=size.n_items)
    anchor_items = np.sort(generator.choice(size.n_items, size.n_anchors, replace=False))
    previous = np.exp(log_a[anchor_items]), b[anchor_items].copy()
    log_a[anchor_items] += 0.05 * generator.normal(size=size.n_anchors)
    b[anchor_items] += 0.05 * generator.normal(size=size.n_anchors)
    a = np.exp(log_a)
    user = np.repeat(np.arange(size.n_users, dtype=np.int32), size.per_user)
    item = np.concatenate(
        [
            generator.choice(size.n_items, size.per_user, replace=False).astype(np.int32)
            for _ in range(size.n_users)
        ]
    )
    p = 1 / (1 + np.exp(-a[item] * (theta[user] - b[item])))
    correct = (generator.random(len(user)) < p).astype(np.int8)
    answered = np.unique(item)
    rank = np.full(size.n_items, -1, np.int32)
    rank[answered] = np.arange(len(answered))
    names = [f"item{j:05d}" for j in range(size.n_items)]
    users = tuple(f"user{i:07d}" for i in range(size.n_users))
    responses = Responses(users, tuple(names[j] for j in answered), user, rank[item], correct)
    is_present = np.isin(anchor_items, answered)
    anchors = Anchors(
        tuple(names[j] for j in anchor_items[is_present]),
        previous[0][is_present],
        previous[1][is_present],
    )
    return Truth(responses, anchors, {"a": a[answered], "b": b[answered], "theta": theta})


def measure(engine: str, size: Size, spec: SamplerSpec, seed: int) -> EngineMeasured:
    """Measure one engine in a new process, so that only its memory counts."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(one_engine, (engine, size, spec, seed))


def one_engine(engine: str, size: Size, spec: SamplerSpec, seed: int) -> EngineMeasured:
    """Simulate and estimate, in this process."""
    # Imported only in the process that is measured.
    from tallgrass.items import engines

    truth = simulate(size, seed)
    if engine != "nuts":  # compile first, because compilation is not the engine's time
        few = simulate(Size(60, 10, 2, 8), seed)
        _call(engines, engine, few, spec.model_copy(update={"draws": 4, "tune": 10}))
    began = time.perf_counter()
    result = _call(engines, engine, truth, spec)
    total_s = time.perf_counter() - began
    peak = _high_water()
    if engine in ("map", "mml"):
        return _of_estimates(result, truth, total_s, peak)
    return _of_draws(engine, result, truth, total_s, peak)


def _call(engines: Any, engine: str, truth: Truth, spec: SamplerSpec) -> Any:
    function = {
        "nuts": engines.calibrate_nuts,
        "gibbs": engines.calibrate_gibbs,
        "map": engines.calibrate_map,
        "mml": engines.calibrate_mml,
    }[engine]
    arguments = () if engine in ("map", "mml") else (spec,)
    return function(truth.responses, truth.anchors, *arguments)


def _of_estimates(estimates: Any, truth: Truth, total_s: float, peak: int) -> EngineMeasured:
    means = {name: getattr(estimates, name) for name in truth.values}
    recovery = {}
    for name, mean in means.items():
        reach = _Z * getattr(estimates, f"{name}_sd")
        inside = np.abs(mean - truth.values[name]) < reach
        recovery[name] = _recovery(mean, truth.values[name], inside)
    zeros = {name: np.zeros(len(mean)) for name, mean in means.items()}
    return EngineMeasured(
        estimates.engine, estimates.seconds, total_s, peak, np.nan, np.nan, np.nan, 0,
        recovery, means, zeros,
    )  # fmt: skip


def _of_draws(engine: str, sampled: Any, truth: Truth, total_s: float, peak: int) -> EngineMeasured:
    from tallgrass.inference.ranks import rank_diagnostics

    posterior = sampled.trace["posterior"].to_dataset()
    stats = sampled.trace["sample_stats"].to_dataset()
    recovery, means, mcse, rhat, ess = {}, {}, {}, -np.inf, np.inf
    for name in posterior:
        draws = posterior[name].to_numpy()
        values = rank_diagnostics(draws)
        rhat = max(rhat, float(values.rhat.max()))
        ess = min(ess, float(values.ess_bulk.min()), float(values.ess_tail.min()))
        means[str(name)] = draws.mean(axis=(0, 1), dtype=np.float64)
        sd = draws.std(axis=(0, 1), dtype=np.float64)
        mcse[str(name)] = sd / np.sqrt(values.ess_bulk)
        tail = (1 - COVERAGE) / 2
        low, high = np.quantile(draws, [tail, 1 - tail], axis=(0, 1))
        real = truth.values[str(name)]
        recovery[str(name)] = _recovery(means[str(name)], real, (low < real) & (real < high))
    if "theta_summary" in sampled.trace.children:
        summary = sampled.trace["theta_summary"].to_dataset()
        mean, sd = summary["mean"].to_numpy(), summary["sd"].to_numpy()
        real = truth.values["theta"]
        recovery["theta"] = _recovery(mean, real, np.abs(mean - real) < _Z * sd)
        rhat = max(rhat, float(summary["rhat"].max()))
    divergences = float(stats["diverging"].sum()) if "diverging" in stats else np.nan
    return EngineMeasured(
        engine, sampled.sampling_s, total_s, peak, rhat, ess, divergences,
        int(posterior.sizes["draw"]), recovery, means, mcse,
    )  # fmt: skip


def _recovery(mean: Floats, real: Floats, inside: NDArray[np.bool_]) -> Recovery:
    return Recovery(
        float(np.corrcoef(mean, real)[0, 1]),
        float(np.sqrt(np.mean((mean - real) ** 2))),
        float(inside.mean()),
    )


def rows_of(measured: Sequence[EngineMeasured]) -> list[tuple[str, list[float]]]:
    """Measures by name, with a value per engine."""
    rows: list[tuple[str, list[float]]] = [
        ("sample or estimate, s", [engine.seconds for engine in measured]),
        ("whole call, s", [engine.total_s for engine in measured]),
        ("peak memory, MiB", [engine.peak_bytes / 2**20 for engine in measured]),
        ("draws a chain", [float(engine.draws or np.nan) for engine in measured]),
        ("R-hat, highest", [engine.rhat for engine in measured]),
        ("ESS, least", [engine.ess for engine in measured]),
        ("divergences", [engine.divergences for engine in measured]),
    ]
    for name in ("a", "b", "theta"):
        for column in ("correlation", "rmse", "coverage"):
            values = [
                float(getattr(engine.recovery[name], column)) if name in engine.recovery else np.nan
                for engine in measured
            ]
            rows.append((f"{name}, {column}", values))
    return rows
