"""Accelerated EM: SQUAREM (Varadhan and Roland, 2008) on a grid that resolves every ability."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tallgrass.items.engines.quadrature import ByUser, Expected, expect, grid, nodes_for

Floats = NDArray[np.float64]

MOST_PASSES = 2000


class Climb:
    """Accelerated EM; the grid is refined until it resolves the narrowest posterior.

    Parameters
    ----------
    maximise : callable
        M-step: (E-step, nodes, parameters), which it overwrites.
    slopes : callable
        Parameters -> slopes and intercepts by item, of standardised abilities.
    log_prior : callable
        Parameters -> their log-density, up to a constant.
    tolerance : float
        EM stops when no parameter changes by more than this.
    """

    def __init__(
        self,
        data: ByUser,
        maximise: Callable[[Expected, Floats, Floats], None],
        slopes: Callable[[Floats], tuple[Floats, Floats]],
        log_prior: Callable[[Floats], float],
        tolerance: float,
    ) -> None:
        self.data, self.maximise, self.slopes = data, maximise, slopes
        self.log_prior, self.tolerance = log_prior, tolerance
        self.passes = 0
        self.n_nodes = nodes_for(1.0)
        self.grid = grid(self.n_nodes)
        self.coarse = False

    def run(self, parameters: Floats) -> tuple[Floats, Expected, bool]:
        """Parameters at the maximum, the E-step there, and whether EM converged."""
        while True:
            parameters, converged = self._climb(parameters)
            expected = self._expect(parameters)
            smallest = float(expected.theta_sd.min())
            n_needed = nodes_for(smallest)
            if n_needed <= self.n_nodes:
                self.coarse = (self.grid[0][1] - self.grid[0][0]) > 1.5 * smallest
                return parameters, expected, converged
            # At most double: a posterior between two nodes looks narrower than it is.
            self.n_nodes = min(n_needed, 2 * self.n_nodes - 1)
            self.grid = grid(self.n_nodes)

    def _expect(self, parameters: Floats) -> Expected:
        self.passes += 1
        slope, intercept = self.slopes(parameters)
        return expect(self.data, slope, intercept, *self.grid)

    def _step(self, parameters: Floats) -> tuple[Floats, float]:
        """One EM step, and the objective before it."""
        expected = self._expect(parameters)
        moved = parameters.copy()
        self.maximise(expected, self.grid[0], moved)
        return moved, expected.log_lik + self.log_prior(parameters)

    def _climb(self, first: Floats) -> tuple[Floats, bool]:
        best = -np.inf
        safe = first
        while self.passes < MOST_PASSES:
            second, objective = self._step(first)
            if objective < best - 1e-8 * abs(best):
                # The extrapolation went too far: return to the point of plain EM.
                first, best = safe, -np.inf
                continue
            best = objective
            if np.abs(second - first).max() < self.tolerance:
                # When EM is slow, a small step does not mean a near maximum: extrapolate again.
                third, _ = self._step(second)
                if np.abs(third - second).max() < self.tolerance / 10:
                    return third, True
            else:
                third, _ = self._step(second)
            safe = third
            r, v = second - first, (third - second) - (second - first)
            length = -np.sqrt(np.sum(r * r) / max(np.sum(v * v), 1e-300))
            length = min(length, -1.0)
            moved = first - 2.0 * length * r + length**2 * v
            # A far jump can be too far for single items, so each parameter moves by at most 1.
            first = self._admitted(third + np.clip(moved - third, -1.0, 1.0), third)
        return first, False

    def _admitted(self, jumped: Floats, _plain: Floats) -> Floats:
        """Where a jump may land; ``_plain`` is the point of plain EM."""
        return jumped
