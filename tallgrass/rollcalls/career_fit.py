"""The fit of a dynamic run, sitting by sitting, and of all together."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tallgrass.rollcalls.careers import Careers
from tallgrass.rollcalls.elpd_difference import HIGH_K
from tallgrass.rollcalls.fit_checks import FitChecks, fit_checks
from tallgrass.rollcalls.summaries.careers import part_of
from tallgrass.rollcalls.votes import NAY, YEA

if TYPE_CHECKING:
    from xarray import DataTree

_SAME = ("fit/n_draws", "fit/pareto_k_good")  # in every sitting
_SUMMED = (
    *("fit/elpd_loo", "fit/p_loo", f"fit/pareto_k_above_{HIGH_K}", "fit/pareto_k_above_good"),
    *("fit/surprising_votes", "fit/surprising_votes_expected"),
    *("fit/misfit_legislators", "fit/misfit_legislators_expected"),
    *("fit/misfit_party_margins", "fit/misfit_party_margins_expected"),
    *("fit/misfit_pairs", "fit/misfit_pairs_expected"),
)
BY_SESSION = (
    *("fit/accuracy", "fit/apre", "fit/gmp", "fit/elpd_loo"),
    *("fit/misfit_legislators", "fit/misfit_legislators_expected"),
    *("fit/misfit_pairs", "fit/misfit_pairs_expected"),
)


def career_fit_checks(
    trace: "DataTree", careers: Careers, seed: int
) -> tuple[FitChecks, pd.DataFrame]:
    """The checks of all sittings together, and those of each.

    Members of different sittings have no vote in common, so every check is made within a sitting.

    Returns
    -------
    FitChecks
        All sittings: tables one under the other, metrics of all votes.
    DataFrame
        One row a sitting: session, chamber, n_legislators, n_votes, accuracy, apre, gmp, elpd_loo,
        misfit_legislators and misfit_pairs with ``_expected``.
    """
    parts = [fit_checks(part_of(trace, block), block, seed) for block in careers.blocks]
    table = pd.DataFrame(
        [
            {
                "session": block.session,
                "chamber": block.chamber,
                "n_legislators": len(block.slugs),
                "n_votes": block.n_observations,
                **{n.removeprefix("fit/"): part.metrics.get(n, np.nan) for n in BY_SESSION},
            }
            for block, part in zip(careers.blocks, parts, strict=True)
        ]
    )
    minority = sum(
        int(np.minimum((b.cells == YEA).sum(axis=0), (b.cells == NAY).sum(axis=0)).sum())
        for b in careers.blocks
    )
    return _together(parts, minority), table


def _together(parts: Sequence[FitChecks], minority: int) -> FitChecks:
    votes = pd.concat([part.votes for part in parts], ignore_index=True)
    p, elpd = votes["probability"].to_numpy(float), votes["elpd_loo"].to_numpy(float)
    yea = votes["vote"].to_numpy() == YEA
    errors = int(np.count_nonzero(np.where(yea, p <= 0.5, p < 0.5)))
    all_metrics = [part.metrics for part in parts]
    metrics = {
        "fit/accuracy": 1 - errors / len(p),
        "fit/apre": (minority - errors) / minority if minority else np.nan,
        "fit/gmp": float(np.exp(np.log(p).mean())),
        **{name: float(sum(m[name] for m in all_metrics)) for name in _SUMMED},
        "fit/elpd_loo_se": float(np.sqrt(len(elpd) * elpd.var())),
        **{name: all_metrics[0][name] for name in _SAME},
        "fit/reff": float(np.mean([m["fit/reff"] for m in all_metrics])),
    }
    for name in ("fit/misfit_legislators", "fit/misfit_pairs"):
        # The sittings are independent, so the distances of their limits from what is expected add
        # as those of normal variables do.
        beyond = [m[f"{name}_limit"] - m[f"{name}_expected"] for m in all_metrics]
        metrics[f"{name}_limit"] = metrics[f"{name}_expected"] + float(np.linalg.norm(beyond))
    return FitChecks(
        metrics,
        *(
            pd.concat([getattr(part, name) for part in parts], ignore_index=True)
            for name in ("predictive", "votes", "legislators", "pairs")
        ),
    )
