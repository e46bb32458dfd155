"""Tables of party parameters, of the variance that party explains, and of dispersion."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tallgrass.inference.summary import TAILS, Draws, draws_of, hdi, names_of

if TYPE_CHECKING:
    from xarray import DataTree


def has_parties(trace: "DataTree") -> bool:
    """Whether the run has party parameters (the hierarchical model)."""
    return "mu_party" in trace["posterior"] and "sigma_within" in trace["posterior"]


def party_sizes(trace: "DataTree") -> NDArray[np.int64]:
    """Number of legislators in each party of the model, in the order of the ``party`` axis."""
    index = trace["constant_data"]["party_index"].to_numpy()
    return np.array([np.count_nonzero(index == g) for g in range(len(names_of(trace, "party")))])


def party_means(trace: "DataTree") -> dict[str, float]:
    """Posterior mean of ``mu_party`` by party."""
    means = draws_of(trace, "mu_party").mean(axis=1)
    return dict(zip(names_of(trace, "party"), means.tolist(), strict=True))


def party_parameters(trace: "DataTree") -> pd.DataFrame:
    """Means and spreads of the parties, and the gap between the means.

    Columns: parameter (``mu_party``, ``sigma_within``, ``gap``), party, n_legislators, mean, sd,
    hdi_low, hdi_high, on the scale of the ideal points. The gap is the second party's mean minus
    the first's.
    """
    mu = draws_of(trace, "mu_party")
    parties, sizes = names_of(trace, "party"), party_sizes(trace).tolist()
    rows = []
    for parameter, draws in (("mu_party", mu), ("sigma_within", draws_of(trace, "sigma_within"))):
        rows += [(parameter, *row) for row in zip(parties, sizes, draws, strict=True)]
    rows.append(("gap", "both", sum(sizes[:2]), mu[1] - mu[0]))
    return pd.DataFrame(
        [[*row, draws.mean(), draws.std(ddof=1), *map(float, hdi(draws))] for *row, draws in rows],
        columns=["parameter", "party", "n_legislators", "mean", "sd", "hdi_low", "hdi_high"],
    )


def _variances(trace: "DataTree") -> tuple[Draws, Draws]:
    """Variance between parties, (n_draws,), and each party's weighted variance within."""
    sizes = party_sizes(trace)
    weights = sizes / sizes.sum()
    within = weights[:, None] * draws_of(trace, "sigma_within") ** 2
    return draws_of(trace, "mu_party").var(axis=0, ddof=0), within


def icc_draws(trace: "DataTree") -> Draws:
    """Intraclass correlation by draw: the share of the variance that party explains.

    ``var(mu_party, ddof=0)`` divided by itself plus the mean of ``sigma_within**2``, weighted by
    party size; shape (n_chains * n_draws,), between 0 and 1.
    """
    between, within = _variances(trace)
    return np.asarray(between / (between + within.sum(axis=0)))


def variance_decomposition(trace: "DataTree") -> pd.DataFrame:
    """Variance of the ideal points between and within parties, with 95 % percentile intervals.

    Columns: component (``between``, ``within``, ``total``), party (for ``within``), mean, low,
    high (variances), share, share_low, share_high (of the total, by draw). The share of ``between``
    is the intraclass correlation.
    """
    between, within = _variances(trace)
    total = between + within.sum(axis=0)
    components = [("between", "", between)]
    components += [("within", p, w) for p, w in zip(names_of(trace, "party"), within, strict=True)]
    rows = []
    for component, party, draws in [*components, ("total", "", total)]:
        share = draws / total
        low, high = np.quantile(draws, TAILS)
        ends = np.quantile(share, TAILS)
        rows.append([component, party, draws.mean(), low, high, share.mean(), *ends])
    names = ["component", "party", "mean", "low", "high", "share", "share_low", "share_high"]
    return pd.DataFrame(rows, columns=names)


def dispersion(trace: "DataTree") -> pd.DataFrame:
    """Spread of the ideal points within each party.

    Columns: party, n_legislators, sigma_mean, sigma_low, sigma_high (HDI of ``sigma_within``),
    p_larger (probability that this party's ``sigma_within`` is the largest), sd_mean, sd_low,
    sd_high (HDI of the standard deviation, ddof 1, of the members' ideal points; NaN for a party
    of one).
    """
    sigma, xi = draws_of(trace, "sigma_within"), draws_of(trace, "xi")
    index = trace["constant_data"]["party_index"].to_numpy()
    largest = sigma.argmax(axis=0)
    low, high = hdi(sigma)
    rows = []
    for g, party in enumerate(names_of(trace, "party")):
        members = xi[index == g]
        spread = np.full(2, np.nan) if len(members) < 2 else members.std(axis=0, ddof=1)
        ends = hdi(spread)
        sigmas = [sigma[g].mean(), low[g], high[g], np.mean(largest == g)]
        rows.append([party, len(members), *sigmas, spread.mean(), *map(float, ends)])
    names = ["sigma_mean", "sigma_low", "sigma_high", "p_larger", "sd_mean", "sd_low", "sd_high"]
    return pd.DataFrame(rows, columns=["party", "n_legislators", *names])
