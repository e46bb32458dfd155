"""Compare stored runs: their metrics, and on the same votes their predictions, vote by vote."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, get_args

import numpy as np

from tallgrass.errors import DataError, TrackingError
from tallgrass.rollcalls import earlier
from tallgrass.rollcalls.against_baseline import moved_words
from tallgrass.rollcalls.agreement import agreement_of
from tallgrass.rollcalls.elpd_difference import HIGH_K, elpd_difference, same_votes
from tallgrass.rollcalls.model_spec import ModelName
from tallgrass.rollcalls.single_votes import single_votes
from tallgrass.rounding import diagnostic, rounded
from tallgrass.study.model_file import is_reference
from tallgrass.tracking import reading
from tallgrass.tracking.reading import searching
from tallgrass.tracking.reading.comparison import COLUMNS

if TYPE_CHECKING:
    from pandas import DataFrame

    from tallgrass.inference.thresholds import Thresholds

MODELS = get_args(ModelName)
VOTES, DIFFERENT = "Votes", "different"
_R, _WITHIN, _MOVED = "|r| vs first run", "r in party, vs first", "Moved most, vs first"
_ELPD, _SE, _BAD = "ELPD vs first run", "SE, ELPD vs first run", f"Pareto k > {HIGH_K}"
_NONE = "\N{EM DASH}"
_BAD_K = f"fit/pareto_k_above_{HIGH_K}"


class _Run(NamedTuple):
    """What is read of a stored run."""

    run_id: str
    name: str
    on_votes: bool
    data: str
    metrics: Mapping[str, float]


class _Compared(NamedTuple):
    """A run on roll calls beside the first one: its votes, its positions, and its ELPD."""

    votes: str
    difference: float = np.nan
    se: float = np.nan
    abs_r: float = np.nan
    least_r_within: float = np.nan
    moved: str = _NONE


def compare(
    run_ids: Sequence[str], thresholds: "Thresholds | None" = None, *, long: bool = False
) -> "DataFrame":
    """The metrics of several runs side by side, and which pass the thresholds of the verdict.

    Runs on roll calls are compared with the first of them: by the positions of their common members
    (r over everybody and the least r within a party, without anchors, and who moved most), and on
    the same votes by their expected log predictive densities (leave-one-out), paired vote by vote.
    On different votes these cannot be compared, and the row *Votes* says so.

    Parameters
    ----------
    run_ids : sequence of str
        Ids, or unique beginnings of ids.
    thresholds : Thresholds, optional
        Thresholds of the verdict; by default the usual ones.
    long : bool, optional
        One row per measure and run, with numbers, in place of one row per measure.

    Returns
    -------
    DataFrame
        One row per measure, one column per run (its name and the beginning of its id) with what the
        command line prints, and ``passes``: the values that pass. If ``long``, one row per measure
        and run: measure, relation and threshold (or missing), run_id, run (its
        name), value (float), passed (missing without a threshold), and text (the printed value).
        Measures that no run has are left out.

    Raises
    ------
    TrackingError
        When a run is unknown, or there are no run ids.

    Examples
    --------
    >>> newest, before = tg.runs(chamber="senate", limit=2)["run_id"]
    >>> tg.compare([before, newest]).loc["R-hat max", "passes"]
    '< 1.01'
    >>> long = tg.compare([before, newest], long=True)
    >>> int((long["measure"] == "R-hat max").sum())
    2
    """
    table = comparison(run_ids, thresholds)
    return table if long else reading.side_by_side(table)


def comparison(run_ids: Sequence[str], thresholds: "Thresholds | None" = None) -> "DataFrame":
    """The rows of :func:`compare`, one per measure and run.

    Raises
    ------
    TrackingError
        When a run is unknown, or there are no run ids.
    """
    import pandas as pd

    table = reading.compare(run_ids, thresholds)
    runs = [_read(run_id) for run_id in run_ids]
    on_votes = [run for run in runs if run.on_votes]
    if len(on_votes) < 2:
        return table
    rows = pd.DataFrame(_rows(runs, on_votes), columns=COLUMNS).astype(table.dtypes)
    # Before the rows of words, which end the table.
    end = int((table["measure"] == "Sign flip").to_numpy().argmax())
    return pd.concat([table[:end], rows, table[end:]], ignore_index=True)


def warnings(comparison: "DataFrame") -> list[str]:
    """What a reader of the comparison must know: which runs are on other votes."""
    votes = comparison[comparison["measure"] == VOTES]
    others = votes.loc[votes["text"] == DIFFERENT, ["run", "run_id"]].to_numpy()
    if not len(others):
        return []
    names = ", ".join(f"{run} ({run_id[:8]})" for run, run_id in others)
    return [
        f"Not on the votes of the first run: {names}. ELPD, accuracy, GMP and APRE cannot be "
        "compared between different votes, so no difference of the ELPD is given."
    ]


def _read(run_id: str) -> _Run:
    run = searching.find_run(run_id)
    known = (str(run.info.run_id), str(run.info.run_name))
    params, data = run.data.params, run.data.tags.get("data.sha256", "")
    model = params.get("model", "")
    on_votes = model in MODELS or (is_reference(model) and "chamber" in params)
    return _Run(*known, on_votes, data, run.data.metrics)


def _rows(runs: Sequence[_Run], on_votes: Sequence[_Run]) -> list[tuple[object, ...]]:
    compared = _against_first(on_votes)
    rows: list[tuple[object, ...]] = []
    for measure in (_R, _WITHIN, _MOVED, VOTES, _ELPD, _SE, _BAD):
        for run in runs:
            beside = compared.get(run.run_id, _Compared(_NONE))
            share = _bad_share(run)
            value, text = {
                _R: (beside.abs_r, diagnostic(beside.abs_r)),
                _WITHIN: (beside.least_r_within, diagnostic(beside.least_r_within)),
                _MOVED: (np.nan, beside.moved),
                VOTES: (np.nan, beside.votes),
                _ELPD: (beside.difference, rounded(beside.difference, 1)),
                _SE: (beside.se, rounded(beside.se, 1)),
                _BAD: (share, rounded(100 * share, 1) + " %"),
            }[measure]
            shown = text if measure in (VOTES, _MOVED) or np.isfinite(value) else _NONE
            name = (run.run_id, run.name)
            rows.append((measure, "", np.nan, *name, value, None, shown))
    return rows


def _against_first(runs: Sequence[_Run]) -> dict[str, _Compared]:
    """Every run against the first, by run id."""
    first = runs[0]
    count = first.metrics.get("data/n_observations")
    n_votes = None if count is None else int(count)
    own = single_votes(first.run_id, n_votes)
    positions = _ideal_points(first.run_id)
    compared = {first.run_id: _Compared("first run")}
    for run in runs[1:]:
        beside = _against(first, own, run, n_votes)
        compared[run.run_id] = _placed(beside, _ideal_points(run.run_id), positions)
    return compared


def _placed(
    beside: _Compared, current: "DataFrame | None", reference: "DataFrame | None"
) -> _Compared:
    """With the agreement of the positions, where the two runs have members in common."""
    if current is None or reference is None:
        return beside
    try:
        comparison = agreement_of(current, reference)
    except DataError:
        return beside
    return beside._replace(
        abs_r=comparison.abs_r,
        least_r_within=comparison.least_r_within,
        moved=moved_words(comparison, current.set_index("slug")["name"]),
    )


def _ideal_points(run_id: str) -> "DataFrame | None":
    try:
        return earlier.ideal_points(run_id)
    except TrackingError:  # its files are gone
        return None


def _against(first: _Run, own: "DataFrame | None", run: _Run, n_votes: int | None) -> _Compared:
    votes = single_votes(run.run_id, n_votes)
    if own is None or votes is None:
        # Without densities of single votes the fingerprint of the data decides.
        return _Compared("same" if first.data and first.data == run.data else DIFFERENT)
    if not same_votes(own, votes):
        return _Compared(DIFFERENT)
    difference = elpd_difference(votes, own)
    if difference is None:
        return _Compared("same")
    return _Compared("same", difference.difference, difference.se)


def _bad_share(run: _Run) -> float:
    bad, n = (run.metrics.get(name) for name in (_BAD_K, "data/n_observations"))
    return np.nan if bad is None or not n else float(bad / n)
