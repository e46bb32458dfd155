"""Compute rates, ratios and agreement from measured runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

CONVERGED = 1.01  # R-hat below this, as in the verdict


@dataclass(frozen=True, eq=False)
class Measured:
    """One sampling run.

    Parameters
    ----------
    compile_s, sampling_s : float
        Time in seconds to compile the model, and to sample, tuning included.
    tuning_share : float
        Share of tuning in the sampling time; NaN if unknown.
    gradients_tuning, gradients : float
        Gradient evaluations of the tuning draws (NaN if the sampler does not count them) and of the
        kept draws.
    ess : float
        Least bulk ESS over xi, the party parameters, alpha and beta.
    limited_by : str
        The parameter with the least ESS.
    rhat : float
        Highest R-hat over the same parameters.
    divergences : int
        Divergences after tuning.
    parallel : int
        Number of chains that ran at the same time.
    means : DataFrame
        Posterior mean and its Monte Carlo standard error by parameter: columns mean, mcse.
    """

    compile_s: float
    sampling_s: float
    tuning_share: float
    gradients_tuning: float
    gradients: float
    ess: float
    limited_by: str
    rhat: float
    divergences: int
    parallel: int
    means: pd.DataFrame

    @property
    def ess_per_s(self) -> float:
        """Effective samples per second of the whole sampling time."""
        return self.ess / self.sampling_s

    @property
    def ess_per_s_tuned(self) -> float:
        """Effective samples per second of the time after tuning."""
        return self.ess / (self.sampling_s * (1 - self.tuning_share))

    @property
    def ess_per_1000_gradients(self) -> float:
        """Effective samples per 1000 gradient evaluations of the kept draws."""
        return 1000 * self.ess / self.gradients

    @property
    def us_a_gradient(self) -> float:
        """Microseconds of one chain's whole time per gradient evaluation."""
        return 1e6 * self.sampling_s * self.parallel / (self.gradients + self.gradients_tuning)


@dataclass(frozen=True)
class Column:
    """One variant over all rounds: medians, unless stated otherwise.

    Parameters
    ----------
    name : str
        The variant.
    rounds : int
        Number of rounds.
    ess_per_s_range : tuple of float
        Lowest and highest rate of a round, tuning included.
    rhat : float
        The highest of all rounds.
    divergences : int
        The sum over all rounds.
    ratio : float
        Median over rounds of the rate, tuning included, divided by that of the first variant in the
        same round.
    z_max, z_sd : float
        ``z = (mean - mean of the first) / sqrt(mcse^2 + mcse of the first^2)`` over all parameters,
        with means pooled over rounds: largest absolute value and standard deviation, which is about
        1 if both estimate the same posterior. NaN for the first variant.
    """

    name: str
    rounds: int
    compile_s: float
    sampling_s: float
    gradients_tuning: float
    gradients: float
    us_a_gradient: float
    ess: float
    limited_by: str
    rhat: float
    divergences: int
    ess_per_s: float
    ess_per_s_range: tuple[float, float]
    ess_per_s_tuned: float
    ess_per_1000_gradients: float
    ratio: float
    z_max: float
    z_sd: float

    @property
    def converged(self) -> bool:
        """Whether the chains of every round agree."""
        return self.rhat < CONVERGED


def columns_of(measured: Mapping[str, Sequence[Measured]]) -> tuple[Column, ...]:
    """One column per variant, compared with the first.

    Parameters
    ----------
    measured : mapping of str to sequence of Measured
        The rounds of every variant, in the same order.
    """
    first, *_ = measured.values()
    return tuple(
        _column(name, rounds, first, compared=rounds is not first)
        for name, rounds in measured.items()
    )


def _column(
    name: str, rounds: Sequence[Measured], first: Sequence[Measured], compared: bool
) -> Column:
    def median(field: str) -> float:
        return float(np.median([getattr(run, field) for run in rounds]))

    rates = [run.ess_per_s for run in rounds]
    ratios = [x / base.ess_per_s for x, base in zip(rates, first, strict=True)]
    z = z_scores(pooled(rounds), pooled(first)) if compared else np.array([np.nan])
    worst = min(rounds, key=lambda run: run.ess)
    return Column(
        name=name,
        rounds=len(rounds),
        **{
            field: median(field)
            for field in (
                "compile_s",
                "sampling_s",
                "gradients_tuning",
                "gradients",
                "us_a_gradient",
                "ess",
                "ess_per_s",
                "ess_per_s_tuned",
                "ess_per_1000_gradients",
            )
        },
        limited_by=worst.limited_by,
        rhat=max(run.rhat for run in rounds),
        divergences=sum(run.divergences for run in rounds),
        ess_per_s_range=(min(rates), max(rates)),
        ratio=float(np.median(ratios)),
        z_max=float(np.max(np.abs(z))),
        z_sd=float(np.std(z)),
    )


def pooled(rounds: Sequence[Measured]) -> pd.DataFrame:
    """The average of the means of independent rounds, with its standard error."""
    means = pd.concat([run.means["mean"] for run in rounds], axis=1)
    errors = pd.concat([run.means["mcse"] for run in rounds], axis=1)
    total = np.sqrt((errors**2).sum(axis=1)) / len(rounds)
    return pd.DataFrame({"mean": means.mean(axis=1), "mcse": total})


def z_scores(means: pd.DataFrame, base: pd.DataFrame) -> np.ndarray:
    """Differences of means in Monte Carlo standard errors, over the common parameters."""
    common = means.index.intersection(base.index)
    common_means, common_base = means.loc[common], base.loc[common]
    error = np.sqrt(common_means["mcse"] ** 2 + common_base["mcse"] ** 2)
    return ((common_means["mean"] - common_base["mean"]) / error).to_numpy(float)
