"""What a run on roll calls gives."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xarray import DataTree

    from tallgrass.inference.diagnostics import Diagnostics, Verdict
    from tallgrass.inference.fit_verdict import FitVerdict
    from tallgrass.rollcalls.analysis import RollCallAnalysis
    from tallgrass.rollcalls.compare import Comparison


@dataclass(frozen=True, eq=False)
class FitResult:
    """What one run gave.

    Parameters
    ----------
    run_id, experiment_id, ui_url, results_url : str
        Where it is in MLflow, and where the table of all runs is.
    verdict : Verdict
        Pass, fail or unresolved, with every check.
    diagnostics : Diagnostics
        Convergence diagnostics.
    trace : DataTree
        The draws.
    comparison : Comparison or None
        Agreement with the baseline, where there is one.
    timings : dict of str to float
        Seconds by step.
    report_path : str
        Where the HTML report was stored.
    analysis : RollCallAnalysis
        Every table, as the record and the report read it.
    """

    run_id: str
    experiment_id: str
    ui_url: str
    results_url: str
    verdict: "Verdict"
    diagnostics: "Diagnostics"
    trace: "DataTree"
    comparison: "Comparison | None"
    timings: dict[str, float]
    report_path: str
    analysis: "RollCallAnalysis"

    @property
    def fit(self) -> "FitVerdict":
        """Whether one line fits the votes, apart from whether the chains converged.

        Its ``status`` is ``fits``, ``questioned`` or ``not checked``; ``reasons`` and ``checks``
        say why.
        """
        return self.analysis.fit_verdict

    def log_likelihood(self, max_draws: int = 2000) -> "DataTree":
        """The draws with the log-likelihood of every vote, for ``az.loo`` and ``az.compare``.

        See :func:`tallgrass.rollcalls.log_likelihood.log_likelihood`.
        """
        from tallgrass.rollcalls.log_likelihood import log_likelihood

        return log_likelihood(self.trace, max_draws)

    def probability_right_of(self, first: str, second: str) -> float:
        """The probability that one legislator (a slug) is to the right of another.

        See :func:`tallgrass.rollcalls.summaries.pairs.probability_right_of`.

        Examples
        --------
        >>> result.probability_right_of("sen_smith_ann_1", "sen_jones_bob_1")  # doctest: +SKIP
        0.83
        """
        from tallgrass.rollcalls.summaries import probability_right_of

        return probability_right_of(self.trace, first, second)
