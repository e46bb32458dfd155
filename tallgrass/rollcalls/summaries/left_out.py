"""What each session does to the scales of the others: the scales fitted again without it.

Positions within every session, and the sizes of steps, stay at their posterior means; delta and log
k are those that maximise what the model says of them (steps of careers, new members, matched bills,
priors), with all sessions and without one. Members go on across the session that is left out. This
is an approximation: a run with ``leave_out=<session>`` is the thing itself.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tallgrass.errors import DataError
from tallgrass.inference.priors import PriorSpec
from tallgrass.inference.summary import Draws, draws_of, names_of
from tallgrass.rollcalls.career_scales import Known, fit_scales
from tallgrass.rollcalls.careers import Careers
from tallgrass.rollcalls.groups import PARTIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xarray import DataTree

Floats = NDArray[np.float64]


def left_out(
    trace: "DataTree", careers: Careers, priors: "Mapping[str, PriorSpec]", normal: bool
) -> pd.DataFrame:
    """One row a session that is left out and sitting that stays.

    Columns: left_out, session, chamber, change_delta, change_k, change_gap (new minus all), and
    change_in_sd (of the gap, in posterior standard deviations). The reference session stays. Empty
    with two sessions; NaN where the others are no longer linked.
    """
    columns = ["left_out", "session", "chamber", "change_delta", "change_k", "change_gap"]
    rows: list[list[object]] = []
    known = _known(trace, careers, normal)
    spread = 2 * draws_of(trace, "k").std(axis=1)
    everything = fit_scales(careers, known, priors)
    for session in careers.sessions:
        if session == careers.reference_session or len(careers.sessions) < 3:
            continue
        kept = np.array([s.session != session for s in careers.sittings])
        if not kept.any():
            continue
        try:
            changed = fit_scales(*_without(careers, known, kept), priors) - everything[:, kept]
            scales = np.exp(changed[1]) - 1
            k = np.exp(everything[1, kept]) * scales
        except DataError:  # nothing links the others then
            changed = np.full((2, int(kept.sum())), np.nan)
            k = changed[1]
        for n, i in enumerate(np.flatnonzero(kept)):
            sitting = careers.sittings[i]
            row = [session, sitting.session, sitting.chamber, changed[0, n], k[n], 2 * k[n]]
            rows.append([*row, 2 * k[n] / spread[i] if spread[i] > 0 else 0.0])
    return pd.DataFrame(rows, columns=[*columns, "change_in_sd"])


def _known(trace: "DataTree", careers: Careers, normal: bool) -> Known:
    row = {slug: i for i, slug in enumerate(names_of(trace, "legislator"))}
    column = {vote_id: j for j, vote_id in enumerate(names_of(trace, "rollcall"))}
    rows = np.array([row[slug] for slug in careers.combined.slugs])[careers.rows]
    columns = np.array([column[v] for v in careers.combined.vote_ids])[careers.columns]
    delta, k = draws_of(trace, "delta"), draws_of(trace, "k")
    xi, alpha, beta = (draws_of(trace, name) for name in ("xi", "alpha", "beta"))
    v = np.array(
        [
            ((xi[r] - delta[t]) / k[t]).mean()
            for r, t in zip(rows, careers.sitting_of_row, strict=True)
        ]
    )
    logits = np.array(
        [
            [
                (beta[c] * (delta[t] + side * k[t]) - alpha[c]).mean()
                for c, t in zip(columns, careers.sitting_of_column, strict=True)
            ]
            for side in (-1, 1)
        ]
    )
    sigma_dif = _mean(draws_of(trace, "sigma_dif")) if len(careers.bridges.house) else np.array([])
    return Known(
        v,
        _mean(draws_of(trace, "mu_new")).reshape(-1, len(PARTIES)),
        float(draws_of(trace, "tau").mean()),
        _mean(draws_of(trace, "sigma_new")),
        logits,
        sigma_dif,
        normal,
    )


def _mean(draws: Draws) -> Floats:
    return np.asarray(draws.mean(axis=1))


def _without(careers: Careers, known: Known, kept: NDArray[np.bool_]) -> tuple[Careers, Known]:
    """The careers and what is known of them, of some of the sittings."""
    rows, columns = kept[careers.sitting_of_row], kept[careers.sitting_of_column]
    of_seat = tuple(p for p, stays in zip(careers.persons.of_seat, rows, strict=True) if stays)
    fewer = replace(
        careers,
        sittings=tuple(s for s, stays in zip(careers.sittings, kept, strict=True) if stays),
        persons=replace(careers.persons, of_seat=of_seat),
        reference=careers.reference_session,
    )
    stay = [session in fewer.sessions for session in careers.sessions]
    part = known._replace(
        v=known.v[rows],
        mu=known.mu[kept],
        logits=known.logits[:, columns],
        sigma_dif=known.sigma_dif[stay] if len(known.sigma_dif) else known.sigma_dif,
    )
    return fewer, part
