"""A stored run, or a result, beside published scores of the same people."""

from pathlib import Path
from typing import TYPE_CHECKING

from tallgrass.rollcalls.external import External, compare_scores
from tallgrass.rollcalls.score_files import read_scores

if TYPE_CHECKING:
    from tallgrass.rollcalls.result import FitResult


def against(
    run: "str | FitResult", path: str | Path, score_column: str = "", name_column: str = ""
) -> External:
    """Hold published scores against the ideal points of a run.

    Parameters
    ----------
    run : str or FitResult
        Id of a run, or the beginning of it; or a result.
    path, score_column, name_column
        As of :func:`read_scores`.

    Raises
    ------
    TrackingError
        When the run is unknown or has no ideal points.
    DataError
        As :func:`read_scores`, and when fewer than three people are in both.

    Examples
    --------
    >>> import pandas as pd
    >>> run_id = tg.runs(chamber="senate", limit=1)["run_id"].iloc[0]
    >>> members = tg.load_votes("sample", chamber="senate").legislators
    >>> scores = pd.DataFrame({"name": [m.name for m in members], "score": range(len(members))})
    >>> scores.to_csv("scores.csv", index=False)
    >>> tg.against(run_id, "scores.csv").comparison.n_compared > 90
    True
    """
    if isinstance(run, str):
        from tallgrass.rollcalls import earlier

        ideal, chamber = earlier.ideal_points(run), earlier.rerun_spec(run).chamber
    else:
        assert run.analysis is not None
        ideal, chamber = run.analysis.ideal_points, run.analysis.spec.chamber
    known = chamber if chamber in ("house", "senate") else ""
    texts = ["slug", "name", "party", "district"]
    ideal = ideal.assign(**{c: ideal[c].fillna("").astype(str) for c in texts})
    scores = read_scores(path, score_column, name_column, known)
    return compare_scores(ideal, scores, Path(path).name.partition(".")[0])
