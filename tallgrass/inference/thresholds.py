"""What a run must reach to pass, known without the libraries that compute it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Thresholds:
    """Limits for a run to pass. Which ``abs_r`` applies depends on the baseline's model.

    Examples
    --------
    >>> import tallgrass as tg
    >>> tg.Thresholds(ess=1000).abs_r("flat", "hierarchical")
    0.9
    """

    rhat: float = 1.01
    ess: float = 400.0
    divergences: int = 0
    ebfmi: float = 0.3
    abs_r_flat: float = 0.99
    abs_r_hierarchical: float = 0.95
    abs_r_across: float = 0.90

    def of(self, metric: str) -> tuple[float, ...]:
        """The limits of a metric, which it is not shown as equal to where it is not.

        Examples
        --------
        >>> import tallgrass as tg
        >>> tg.Thresholds().of("rhat_max"), tg.Thresholds().of("sampling_s")
        ((1.01,), ())
        """
        limits = {
            "rhat_max": (self.rhat,),
            "ess_min": (self.ess,),
            "ess_tail_min": (self.ess,),
            "ebfmi_min": (self.ebfmi,),
            "abs_r": (self.abs_r_flat, self.abs_r_hierarchical, self.abs_r_across),
        }
        return limits.get(metric, ())

    def abs_r(self, model: str, baseline_model: str) -> float:
        """The least absolute correlation between two runs of these models."""
        if model != baseline_model:
            return self.abs_r_across
        return self.abs_r_flat if model == "flat" else self.abs_r_hierarchical
