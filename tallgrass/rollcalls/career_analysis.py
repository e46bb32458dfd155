"""What a dynamic run says beside its tables: fit by session, audit, and single-session runs."""

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tallgrass.errors import TallgrassError
from tallgrass.inference.labels import metric_name
from tallgrass.machine import Finding, usable_cores
from tallgrass.rollcalls import earlier
from tallgrass.rollcalls.career_fit import BY_SESSION
from tallgrass.rollcalls.careers import Careers
from tallgrass.rollcalls.groups import PARTIES
from tallgrass.rollcalls.identity import identity
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.rollcalls.summaries.careers import CareerTables

if TYPE_CHECKING:
    from xarray import DataTree

logger = logging.getLogger(__name__)

_FEWEST = 3  # members, for a correlation to mean something
_SECONDS_A_VOTE, _STEPS = 2.5e-9, 16  # of one evaluation with gradient; evaluations a draw
_LONG, _MANY = 120.0, 20  # seconds, sittings; of a run with less of both nothing is said


def completed(
    tables: CareerTables,
    trace: "DataTree",
    careers: Careers,
    ideal: pd.DataFrame,
    scores: np.ndarray,
    fit: pd.DataFrame | None,
) -> CareerTables:
    """The tables of a run with the audit of its chains, single-session runs, and fit by session.

    Parameters
    ----------
    ideal : DataFrame
        One row a member-session.
    scores : ndarray, shape (n_member_sessions,)
        PCA scores in the order of the combined votes.
    fit : DataFrame or None
        The fit of every session.
    """
    return replace(
        tables,
        chains=chains_by_session(trace, careers, scores),
        single=single_sessions(ideal, careers),
        fit=fit,
        metrics=tables.metrics | ({} if fit is None else session_metrics(fit, careers)),
    )


def long_run(careers: Careers, spec: RunSpec) -> tuple[Finding, ...]:
    """How long a run of many votes or sittings takes, and how large its draws are, beforehand.

    By the kernel's time a vote and the usual number of steps; compiling comes on top, once.
    """
    votes = careers.combined.n_observations
    rounds = -(-spec.chains // min(usable_cores(), spec.chains))
    seconds = votes * _SECONDS_A_VOTE * _STEPS * (spec.most_draws + spec.tune) * rounds
    if seconds < _LONG and len(careers.sittings) < _MANY:
        return ()
    values = len(careers.rows) + 2 * len(careers.columns)
    gib = 8 * values * spec.most_draws * spec.chains / 2**30
    time = f"{seconds / 60:.0f} minutes" if seconds >= _LONG else f"{seconds:.0f} seconds"
    return (
        Finding(
            "note",
            f"{len(careers.sittings)} sittings, {votes:,} votes: about {time} of sampling, "
            f"and {gib:.1f} GiB of draws in memory; fewer draws take less of both",
        ),
    )


def session_metrics(fit: pd.DataFrame, careers: Careers) -> dict[str, float]:
    """The fit of every session by metric name, such as ``fit/accuracy_91st_2025-2026``."""
    return {
        f"{measure}_{metric_name(name)}": float(row[measure.removeprefix("fit/")])
        for name, (_, row) in zip(careers.names, fit.iterrows(), strict=True)
        for measure in BY_SESSION
        if np.isfinite(row[measure.removeprefix("fit/")])
    }


def single_sessions(ideal: pd.DataFrame, careers: Careers) -> pd.DataFrame:
    """Positions of every sitting beside those of its own hierarchical run, where one passed.

    Columns: session, chamber, run_id, n_common, r, r_democrat, r_republican, and slope and
    intercept of the line that takes the run's positions to the common scale (``x = intercept +
    slope xi``, by least squares). Sittings without such a run are left out.
    """
    rows = []
    for i, sitting in enumerate(careers.sittings):
        table = _own_run(careers, i)
        if table is None:
            continue
        run_id, own = table
        names = {
            careers.combined.slugs[row]: slug
            for row, slug in zip(careers.rows_of(i), sitting.votes.slugs, strict=True)
        }
        here = ideal[ideal["slug"].isin(names)]
        here = here.assign(plain=here["slug"].map(names)).set_index("plain")
        common = here.join(own.rename("own"), how="inner")
        if len(common) < _FEWEST:
            continue
        slope, intercept = np.polyfit(common["own"], common["mean"], 1)
        within = [_r(common[common["party"] == party]) for party in PARTIES]
        rows.append(
            [
                sitting.session,
                sitting.chamber,
                run_id,
                len(common),
                _r(common),
                *within,
                slope,
                intercept,
            ]
        )
    columns = ["session", "chamber", "run_id", "n_common", "r", "r_democrat", "r_republican"]
    return pd.DataFrame(rows, columns=[*columns, "slope", "intercept"])


def _own_run(careers: Careers, sitting: int) -> "tuple[str, pd.Series[float]] | None":
    try:
        run_id = earlier.find_passed(identity(careers.sittings[sitting].votes), "hierarchical")
        if run_id is None:
            return None
        table = earlier.ideal_points(run_id)
    except TallgrassError as error:
        logger.warning("no single run beside %s: %s", careers.sittings[sitting].name, error)
        return None
    slugs = table["slug"].astype(str)
    return run_id, pd.Series(table["mean"].to_numpy(float), index=slugs)


def _r(table: pd.DataFrame) -> float:
    x, y = table["own"].to_numpy(float), table["mean"].to_numpy(float)
    if len(x) < _FEWEST or not (x.std() > 0 and y.std() > 0):
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])


def chains_by_session(trace: "DataTree", careers: Careers, scores: np.ndarray) -> pd.DataFrame:
    """The audit of modes: every chain and sitting against the sitting's PCA scores.

    Columns: session, chamber, chain, r (of the chain's mean positions with the scores), lp (the
    chain's mean log-density, which differs between modes).

    Parameters
    ----------
    scores : ndarray, shape (n_member_sessions,)
        In the order of the combined votes, each sitting on a scale of its own.
    """
    means = trace["posterior"]["xi"].mean("draw").transpose("chain", ...).to_numpy()
    stats = trace["sample_stats"]
    lp = stats["lp"].mean("draw").to_numpy() if "lp" in stats else [np.nan] * len(means)
    return pd.DataFrame(
        [
            [
                sitting.session,
                sitting.chamber,
                chain,
                float(np.corrcoef(mean[careers.rows_of(i)], scores[careers.rows_of(i)])[0, 1]),
                float(lp[chain]),
            ]
            for i, sitting in enumerate(careers.sittings)
            for chain, mean in enumerate(means)
        ],
        columns=["session", "chamber", "chain", "r", "lp"],
    )
