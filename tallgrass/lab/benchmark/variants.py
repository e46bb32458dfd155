"""Variants of sampling one posterior, run in turn: a b c a b c."""

import dataclasses
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from multiprocessing import get_context
from typing import Any

import numpy as np
import nutpie
import pandas as pd
from arviz_stats.base import array_stats
from xarray import DataTree

from tallgrass.inference.compiled import flat_start
from tallgrass.inference.diagnostics import diagnose
from tallgrass.inference.draws import Sampled
from tallgrass.inference.progress import ChainProgress, Observer
from tallgrass.inference.spec import Adaptation
from tallgrass.lab.benchmark.comparison import Measured
from tallgrass.machine import usable_cores
from tallgrass.rollcalls.audit import audit
from tallgrass.rollcalls.models import Model, build_model
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.rollcalls.start import Start
from tallgrass.rollcalls.trace import VARIABLES, assemble, sample
from tallgrass.rollcalls.votes import VoteMatrix

PLAIN_TARGET_ACCEPT = 0.8  # nutpie's default


@dataclasses.dataclass(frozen=True)
class Variant:
    """One variant: the parameters of a run, and whether nutpie is used without this package.

    Parameters
    ----------
    name : str
        Name of the variant in tables.
    spec : RunSpec
        Model, coordinates, likelihood, sampler.
    plain : bool
        Compile the PyMC graph with ``nutpie.compile_pymc_model``, without this package's cache.
    """

    name: str
    spec: RunSpec
    plain: bool = False


def three_ways(spec: RunSpec) -> tuple[Variant, ...]:
    """The plain variant (the base of the comparison), the default, and PyMC's sampler.

    The plain variant has nutpie's defaults, whatever the spec says.
    """
    plain = {
        "coordinates": "textbook",
        "likelihood": "gather",
        "sampler": "nutpie",
        "adaptation": "diag",
        "target_accept": PLAIN_TARGET_ACCEPT,
    }
    fast = {"coordinates": "canonical", "likelihood": "kernel"}
    return (
        Variant("(a) textbook, gather, nutpie", spec.model_copy(update=plain), plain=True),
        Variant(
            "(b) canonical, kernel, nutpie", spec.model_copy(update={**fast, "sampler": "nutpie"})
        ),
        Variant(
            "(c) canonical, kernel, PyMC",
            spec.model_copy(update={**fast, "sampler": "pymc", "adaptation": "diag"}),
        ),
    )


def adaptations(spec: RunSpec, names: Sequence[Adaptation]) -> tuple[Variant, ...]:
    """The default variant with each of nutpie's adaptations; the first is the base."""
    return tuple(
        Variant(name, spec.model_copy(update={"sampler": "nutpie", "adaptation": name}))
        for name in names
    )


def measure(
    variants: Sequence[Variant], votes: VoteMatrix, start: Start, rounds: int
) -> Iterator[tuple[Variant, int, Measured]]:
    """Run the variants in turn, for a number of rounds, each with its own seed.

    Every run has its own process, so that none starts with warm caches, other threads or used
    memory, and PyMC can fork its chains.

    Yields
    ------
    (Variant, int, Measured)
        The variant, the round (from 0), and the measurements.
    """
    for round_ in range(rounds):
        for variant in variants:
            spec = variant.spec.model_copy(update={"seed": variant.spec.seed + round_})
            seeded = dataclasses.replace(variant, spec=spec)
            with ProcessPoolExecutor(1, get_context("spawn")) as process:
                yield variant, round_, process.submit(measured, seeded, votes, start).result()


def measured(variant: Variant, votes: VoteMatrix, start: Start) -> Measured:
    """Measure one run of one variant."""
    model = build_model(votes, variant.spec.model_spec, start)
    parallel = min(variant.spec.chains, usable_cores())
    clock = _Clock()
    draw = sample_plainly if variant.plain else sample
    sampled = draw(model, votes, variant.spec.sampler_spec, start.scores, observer=clock)
    trace = sampled.trace
    diagnostics = diagnose(trace, VARIABLES, audit(trace, start.scores))
    gradients = float(trace["sample_stats"]["n_steps"].sum())
    tuning = np.nan
    share = np.nan
    if clock.time_after_tuning > 0:
        share = 1 - clock.time_after_tuning / (parallel * sampled.sampling_s)
    if "warmup_sample_stats" in trace.children:
        tuning = float(trace["warmup_sample_stats"]["n_steps"].sum())
        # Gradients cost the same before and after tuning, and counting them is more precise.
        share = tuning / (tuning + gradients)
    return Measured(
        compile_s=sampled.compile_s,
        sampling_s=sampled.sampling_s,
        tuning_share=share,
        gradients_tuning=tuning,
        gradients=gradients,
        ess=float(diagnostics.table["ess_bulk"].min()),
        limited_by=str(diagnostics.table["ess_bulk"].idxmin()),
        rhat=diagnostics.worst("rhat"),
        divergences=sum(diagnostics.divergences),
        parallel=parallel,
        means=posterior_means(trace),
    )


def sample_plainly(
    model: Model,
    votes: VoteMatrix,
    spec: Any,
    scores: Any = None,
    observer: Observer | None = None,
) -> Sampled:
    """Sample with nutpie as in its documentation, but from the same starting points as ours."""
    began = time.perf_counter()
    compiled = nutpie.compile_pymc_model(model.graph, var_names=list(model.public))
    names = [value.name for value in model.graph.value_vars]
    compiled = dataclasses.replace(compiled, initial_point_func=flat_start(model, names))
    compile_s = time.perf_counter() - began
    began = time.perf_counter()
    tree = nutpie.sample(
        compiled,
        draws=spec.most_draws,
        tune=spec.tune,
        chains=spec.chains,
        cores=min(spec.chains, usable_cores()),
        seed=spec.seed,
        adaptation=spec.adaptation,
        target_accept=spec.target_accept,
        progress_bar=False,
    )
    sampling_s = time.perf_counter() - began
    settings = {
        "sampler": "nutpie",
        "sampler_version": version("nutpie"),
        "compile_s": compile_s,
        "sampling_s": sampling_s,
    }
    trace = assemble(tree, model, votes, scores, settings)
    return Sampled(trace, compile_s, sampling_s, from_cache=False)


def posterior_means(trace: DataTree) -> pd.DataFrame:
    """Mean and Monte Carlo standard error (from the ESS of the mean) of every free parameter."""
    tables = []
    posterior = trace["posterior"].to_dataset()
    for name in [variable for variable in VARIABLES if variable in posterior]:
        array = posterior[name]
        draws = np.moveaxis(array.to_numpy(), -1, 0)  # ArviZ takes (..., chain, draw)
        labels = array[array.dims[-1]].to_numpy()
        varies = np.ptp(draws, axis=(1, 2)) > 0
        tables.append(
            pd.DataFrame(
                {
                    "mean": draws[varies].mean(axis=(1, 2)),
                    "mcse": array_stats.mcse(draws[varies], method="mean"),
                },
                index=[f"{name}[{label}]" for label in labels[varies]],
            )
        )
    return pd.concat(tables)


class _Clock:
    """An observer that sums the time of chains after tuning."""

    def __init__(self) -> None:
        self._tuned: dict[int, float] = {}
        self._ended: dict[int, float] = {}

    def __call__(self, progress: tuple[ChainProgress, ...]) -> None:
        seconds = time.perf_counter()
        for chain in progress:
            if chain.finished and not chain.tuning:
                self._tuned.setdefault(chain.chain, seconds)
            if chain.finished >= chain.total:
                self._ended.setdefault(chain.chain, seconds)

    @property
    def time_after_tuning(self) -> float:
        """Seconds, summed over chains; 0 without a report of progress after tuning."""
        return sum(end - self._tuned[chain] for chain, end in self._ended.items())
