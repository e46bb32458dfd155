"""How many dimensions has a chamber: the same votes with one and with two, side by side."""

from dataclasses import dataclass

import pandas as pd

from tallgrass.errors import SpecError
from tallgrass.rollcalls.fit import fit
from tallgrass.rollcalls.result import FitResult
from tallgrass.rollcalls.spec import RunSpec, changed_spec
from tallgrass.settings import Settings
from tallgrass.study.study import Context

CLEAR = 2.0  # standard errors by which the prediction of votes must differ
_METRICS = {
    "R-hat max": "rhat_max",
    "divergences": "divergences",
    "eigenvalue ratio": "axis/eigenvalue_ratio",
    "party separation": "axis/party_separation",
    "accuracy": "fit/accuracy",
    "GMP": "fit/gmp",
    "ELPD": "fit/elpd_loo",
    "members outside 95 %": "fit/misfit_legislators",
    "as many by chance": "fit/misfit_legislators_expected",
    "pairs outside 95 %": "fit/misfit_pairs",
    "known of axis 2": "axis/reliability_2",
}


@dataclass(frozen=True, eq=False)
class Dimensions:
    """One chamber in one and in two dimensions.

    Parameters
    ----------
    one, two : FitResult
        The runs; the second is compared with the first.
    """

    one: FitResult
    two: FitResult

    @property
    def difference(self) -> float:
        """ELPD of two dimensions less that of one, in nats over all votes."""
        return self._elpd("difference")

    @property
    def se(self) -> float:
        """Standard error of the difference."""
        return self._elpd("se")

    def _elpd(self, name: str) -> float:
        elpd = self.two.analysis.elpd if self.two.analysis is not None else None
        return float("nan") if elpd is None else float(getattr(elpd, name))

    @property
    def table(self) -> pd.DataFrame:
        """What was measured: one row a figure, columns ``what``, ``one``, ``two``."""
        metrics = [run.analysis.recorded_metrics() for run in (self.one, self.two) if run.analysis]
        rows = [
            (what, *(values.get(name, float("nan")) for values in metrics))
            for what, name in _METRICS.items()
        ]
        return pd.DataFrame(rows, columns=["what", "one", "two"])

    @property
    def answer(self) -> str:
        """How many dimensions the votes ask for, in a sentence or two."""
        n = self.two.analysis.votes.n_observations if self.two.analysis is not None else 0
        gain = (
            f"Two dimensions change the expected log predictive density of the {n:,} votes by "
            f"{self.difference:+,.0f} (standard error {self.se:,.0f}), {self.difference / n:+.4f} "
            "a vote."
        )
        if "fail" in (self.one.verdict.status, self.two.verdict.status):
            return f"{gain} A run did not converge, so this says nothing yet."
        if self.difference > CLEAR * self.se:
            moved = self.two.analysis.recorded_tags().get("baseline.moved_most", "")
            return f"{gain} The votes ask for two. Most moved on axis 1: {moved}."
        return f"{gain} One dimension predicts the votes as well: use dims=1."


def compare_dimensions(
    spec: RunSpec, settings: Settings | None = None, context: Context | None = None
) -> Dimensions:
    """Sample one chamber in one and in two dimensions and compare the runs vote by vote.

    Parameters
    ----------
    spec : RunSpec
        Data, model (flat or hierarchical), sampler; ``dims``, ``baseline`` and ``fit_checks`` are
        set here.

    Returns
    -------
    Dimensions
        Both runs; the second has the first as its baseline.

    Raises
    ------
    SpecError
        For the joint model, and with named anchors, which two dimensions do not have.
    TallgrassError
        As of :func:`tallgrass.fit`.

    Examples
    --------
    >>> spec = tg.RunSpec(draws=300, baseline="none")
    >>> found = tg.compare_dimensions(spec, tg.Settings(progress="none"))
    >>> found.two.trace["posterior"]["xi_2"].dims
    ('chain', 'draw', 'legislator')
    """
    if spec.model not in ("flat", "hierarchical"):
        raise SpecError(
            "one and two dimensions are compared for one chamber",
            f"model={spec.model}",
            "use model=hierarchical or model=flat",
        )
    # Refused before anything is sampled.
    two = changed_spec(spec, {"fit_checks": True, "dims": 2})
    flags = {"dims": 1, "beta_2_prior": RunSpec.model_fields["beta_2_prior"].default}
    one = fit(changed_spec(two, flags), settings, context)
    return Dimensions(one, fit(changed_spec(two, {"baseline": one.run_id}), settings, context))
