"""What a run on roll calls gives."""

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from tallgrass.rollcalls.run_name import BETWEEN, run_name
from tallgrass.rollcalls.run_tables import by_rank

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataTree

    from tallgrass.inference.diagnostics import Diagnostics
    from tallgrass.inference.fit_verdict import FitVerdict
    from tallgrass.inference.verdict import Verdict
    from tallgrass.rollcalls.analysis import RollCallAnalysis
    from tallgrass.rollcalls.compare import Comparison
    from tallgrass.rollcalls.votes import Legislator


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

    Examples
    --------
    >>> spec = tg.RunSpec(draws=500, baseline="none")
    >>> result = tg.fit(spec, tg.Settings(progress="none"))
    >>> result.trace["posterior"]["xi"].dims
    ('chain', 'draw', 'legislator')
    >>> result.report_path.endswith("report/index.html")
    True
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
    def ideal_points(self) -> "pd.DataFrame":
        """One row a legislator by rank: name, party, mean, 95 % interval, rank, and more."""
        return by_rank(self.analysis.ideal_points)

    @property
    def legislators(self) -> "tuple[Legislator, ...]":
        """The legislators as modelled, after the filters."""
        return self.analysis.votes.legislators

    @property
    def rollcalls(self) -> "pd.DataFrame":
        """One row a roll call: bill, motion, date, difficulty, discrimination, cut point."""
        return self.analysis.tables.rollcalls

    @property
    def party(self) -> "pd.DataFrame | None":
        """Means, spreads and the gap of the parties; None where the model has no parties."""
        return self.analysis.tables.party_parameters

    def __repr__(self) -> str:
        name = run_name(self.analysis.spec, self.analysis.votes.session)
        words = BETWEEN.join((name, self.verdict.status, self.fit.status))
        return f"FitResult({words}, run {self.run_id[:8]})"

    def _repr_html_(self) -> str:
        from tallgrass.rollcalls.result_box import ends_table, strip

        ideal, where = self.ideal_points, escape(self.report_path)
        name = escape(run_name(self.analysis.spec, self.analysis.votes.session))
        # Converged is not right: what speaks against the fit stands beside the verdict.
        why = "".join(f"<div>{escape(reason)}</div>" for reason in self.fit.reasons)
        fit = f"<div><b>Fit: {escape(self.fit.status)}</b>{why}</div>"
        return (
            f"<b>{name}</b> {self.verdict._repr_html_()}{fit}{strip(ideal)}{ends_table(ideal)}"
            f"<div>run <code>{self.run_id}</code>, report <code>{where}</code></div>"
        )

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
