"""Whether draws are enough: every row of the verdict holds, with a margin.

To look again and again until a criterion holds favours draws by which it holds by chance. The
margin, the fewest draws, and looks that grow apart keep this small; ``benchmarks/auto_draws.py``
measures it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallgrass.inference.ranks import rank_diagnostics
from tallgrass.inference.spec import FEWEST_DRAWS
from tallgrass.inference.thresholds import Thresholds

_RHAT_SHARE = 0.8  # of what R-hat may lie above 1
_MARGIN = 1.25  # by which ESS and E-BFMI must be above their thresholds
_GROWTH = 1.25  # of the draws from one look to the next: all looks cost a few times the last one


class ChainSoFar(NamedTuple):
    """The draws of one chain so far, with their energy and whether they diverged."""

    draws: NDArray[np.float64]  # (draws, entries)
    energy: NDArray[np.float64]
    diverging: NDArray[np.float64]


class Looks:
    """Looks at draws while they are made, and says when they are enough.

    Parameters
    ----------
    thresholds : Thresholds
        Those of the verdict.
    """

    def __init__(self, thresholds: Thresholds) -> None:
        self._thresholds = thresholds
        self._next = FEWEST_DRAWS

    def enough(self, chains: Sequence[ChainSoFar], n_chains: int) -> bool:
        """Whether the chains pass with a margin; false where a look would come too soon."""
        n = min((len(chain.draws) for chain in chains), default=0)
        if len(chains) < n_chains or n < self._next:
            return False
        self._next = int(_GROWTH * n) + 1
        alike = [ChainSoFar(*(part[:n] for part in chain)) for chain in chains]
        return are_enough(alike, self._thresholds)


def are_enough(chains: Sequence[ChainSoFar], thresholds: Thresholds) -> bool:
    """Whether draws pass the rows of the verdict that draws decide, with a margin.

    Parameters
    ----------
    chains : sequence of ChainSoFar
        Of equal length, and two at least: R-hat of one chain is not defined.
    thresholds : Thresholds
        Those of the verdict. R-hat must be below ``1 + 0.8 (rhat - 1)``, bulk and tail ESS above
        1.25 times ``ess``, E-BFMI above 1.25 times ``ebfmi``.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> def chain(n):
    ...     return ChainSoFar(rng.normal(size=(n, 3)), rng.normal(size=n), np.zeros(n))
    >>> are_enough([chain(1000), chain(1000)], Thresholds())
    True
    >>> are_enough([chain(200), chain(200)], Thresholds())
    False
    """
    if len(chains) < 2 or sum(chain.diverging.sum() for chain in chains) > thresholds.divergences:
        return False
    if any(_ebfmi(chain.energy) <= _MARGIN * thresholds.ebfmi for chain in chains):
        return False
    draws = np.stack([chain.draws for chain in chains])
    varying = np.ptp(draws, axis=(0, 1)) != 0  # NaN where a draw is not finite, which is not 0
    found = rank_diagnostics(draws[:, :, varying])
    least = _MARGIN * thresholds.ess
    # Comparisons with NaN are false: what is not defined does not pass.
    return bool(
        np.all(found.rhat < 1 + _RHAT_SHARE * (thresholds.rhat - 1))
        and np.all(found.ess_bulk > least)
        and np.all(found.ess_tail > least)
    )


def _ebfmi(energy: NDArray[np.float64]) -> float:
    """Energy Bayesian fraction of missing information (Betancourt 2016, equation 2)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.mean(np.diff(energy) ** 2) / np.var(energy))
