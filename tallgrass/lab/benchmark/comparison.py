"""Arithmetic of the comparison: measured runs -> rates, ratios and agreement."""

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
        Time in seconds to make the model's code, and to sample with it, tuning included.
    tuning_share : float
        Share of the sampling time that tuning took; NaN where not known.
    gradients_tuning, gradients : float
        Gradient evaluations of the tuning draws (NaN where the sampler does not count them) and
        of the kept draws.
    ess : float
        Least bulk ESS over xi, the party parameters, alpha and beta.
    limited_by : str
        The entry that has it.
    rhat : float
        Highest R-hat over the same entries.
    divergences : int
        After tuning.
    parallel : int
        Chains that ran at the same time.
    means : DataFrame
        Posterior mean and its Monte Carlo standard error by entry: columns mean, mcse.
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
        """Effective samples a second of the whole sampling time."""
        return self.ess / self.sampling_s

    @property
    def ess_per_s_tuned(self) -> float:
        """Effective samples a second of the time after tuning."""
        return self.ess / (self.sampling_s * (1 - self.tuning_share))

    @property
    def ess_per_1000_gradients(self) -> float:
        """Effective samples by 1000 gradient evaluations of the kept draws."""
        return 1000 * self.ess / self.gradients

    @property
    def us_a_gradient(self) -> float:
        """Microseconds of one chain's time a gradient evaluation, all of the sampler's included."""
        return 1e6 * self.sampling_s * self.parallel / (self.gradients + self.gradients_tuning)


@dataclass(frozen=True)
class Column:
    """One way over all its rounds: medians, except where it says otherwise.

    Parameters
    ----------
    name : str
        The way.
    rounds : int
        How often it was run.
    ess_per_s_range : tuple of float
        Lowest and highest rate, tuning included, of a round.
    rhat : float
        The highest of all rounds.
    divergences : int
        Of all rounds.
    ratio : float
        Median over rounds of the rate, tuning included, by that of the first way in the same
        round.
    z_max, z_sd : float
        ``z = (mean - mean of the first way) / sqrt(mcse^2 + mcse of the first way^2)`` of all
        entries, means pooled over rounds: largest absolute value and standard deviation, which is
        about 1 where both estimate the same posterior. NaN for the first way itself.
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
        """Whether every round's chains agree."""
        return self.rhat < CONVERGED


def columns_of(measured: Mapping[str, Sequence[Measured]]) -> tuple[Column, ...]:
    """One column a way, compared with the first.

    Parameters
    ----------
    measured : mapping of str to sequence of Measured
        The rounds of every way, in the same order.
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
        return float(np.median([getattr(one, field) for one in rounds]))

    rates = [one.ess_per_s for one in rounds]
    ratios = [x / base.ess_per_s for x, base in zip(rates, first, strict=True)]
    z = z_scores(pooled(rounds), pooled(first)) if compared else np.array([np.nan])
    worst = min(rounds, key=lambda one: one.ess)
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
        rhat=max(one.rhat for one in rounds),
        divergences=sum(one.divergences for one in rounds),
        ess_per_s_range=(min(rates), max(rates)),
        ratio=float(np.median(ratios)),
        z_max=float(np.max(np.abs(z))),
        z_sd=float(np.std(z)),
    )


def pooled(rounds: Sequence[Measured]) -> pd.DataFrame:
    """Means of independent rounds averaged, with the standard error of the average."""
    means = pd.concat([one.means["mean"] for one in rounds], axis=1)
    errors = pd.concat([one.means["mcse"] for one in rounds], axis=1)
    total = np.sqrt((errors**2).sum(axis=1)) / len(rounds)
    return pd.DataFrame({"mean": means.mean(axis=1), "mcse": total})


def z_scores(means: pd.DataFrame, base: pd.DataFrame) -> np.ndarray:
    """Differences of means in Monte Carlo standard errors, over the entries that both have."""
    common = means.index.intersection(base.index)
    one, other = means.loc[common], base.loc[common]
    error = np.sqrt(one["mcse"] ** 2 + other["mcse"] ** 2)
    return ((one["mean"] - other["mean"]) / error).to_numpy(float)
