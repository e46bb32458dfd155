"""Whether the model fits: what was looked at, and what speaks against it.

The verdict says whether the chains converged. The fit says, apart from it, whether what they
converged to describes the data. It never turns a pass into a fail.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

FitStatus = Literal["fits", "questioned", "not checked"]


@dataclass(frozen=True)
class FitCheck:
    """One thing that a run was held against.

    Parameters
    ----------
    name : str
        What was looked at, in one or two words (``party axis``).
    status : str
        ``fits``, ``questioned`` or ``not checked``.
    words : str
        For ``questioned`` and ``not checked`` the finding in whole sentences, with its numbers, as
        the report, the terminal and the tag ``fit.reasons`` show it; empty for ``fits``.

    Examples
    --------
    >>> FitCheck("party axis", "questioned", "12 of 40 members stand on the other party's side.")
    FitCheck(name='party axis', status='questioned', words="12 of 40 members ...")
    """

    name: str
    status: FitStatus
    words: str = ""


@dataclass(frozen=True)
class FitVerdict:
    """Every check of the fit, and what follows from all of them."""

    checks: tuple[FitCheck, ...] = ()

    @property
    def status(self) -> FitStatus:
        """``questioned`` if one check says so, ``fits`` if every check does, else ``not checked``.

        A run without any check is not checked.
        """
        states = {check.status for check in self.checks}
        if "questioned" in states:
            return "questioned"
        return "fits" if states == {"fits"} else "not checked"

    @property
    def reasons(self) -> tuple[str, ...]:
        """``name: words`` of the checks that question the fit, then of those that were not made."""
        order: tuple[FitStatus, ...] = ("questioned", "not checked")
        return tuple(
            f"{check.name}: {check.words}"
            for status in order
            for check in self.checks
            if check.status == status and check.words
        )

    @property
    def tags(self) -> dict[str, object]:
        """Tags of the run: ``fit`` and ``fit.reasons``."""
        return {"fit": self.status, "fit.reasons": " ".join(self.reasons)}


def fit_verdict(checks: Iterable[FitCheck | None]) -> FitVerdict:
    """The fit from its checks; None stands for one that this kind of run does not have."""
    return FitVerdict(tuple(check for check in checks if check is not None))
