"""Draws of a run arranged for single votes, and the log-likelihood of votes in every draw."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallgrass.errors import DataError
from tallgrass.inference.pointwise import pointwise_loglik, pointwise_loglik_of_plane
from tallgrass.inference.ranks import relative_ess

if TYPE_CHECKING:
    from xarray import DataTree

Floats = NDArray[np.float64]

MAX_DRAWS = 2000
_BLOCK = 512  # votes per block: 8 MB of log-likelihoods at 2000 draws
_EFFICIENCY_VOTES = 100  # the sample of votes that gives the effective sample size of all
_CERTAIN = 1e-12  # a probability with a smaller range is the same in every draw
_LEAST_CHAIN = 4  # draws per chain that an effective sample size needs


class VoteDraws(NamedTuple):
    """Thinned draws, chain by chain; arrays of shape (n, n_draws).

    ``step`` is the distance between two of them in a chain. ``second`` are the positions and
    discriminations on the second axis, of a run in two dimensions.
    """

    xi: Floats
    alpha: Floats
    beta: Floats
    chains: int
    step: int
    second: tuple[Floats, Floats] | None = None


class Block(NamedTuple):
    """Some observed votes of one legislator; ``first`` counts the votes of earlier blocks."""

    first: int
    row: int
    columns: NDArray[np.int64]
    cells: NDArray[np.int8]

    @property
    def part(self) -> slice:
        """Where its votes are among all observed votes, row by row."""
        return slice(self.first, self.first + len(self.cells))


def thinned(trace: "DataTree", max_draws: int) -> VoteDraws:
    """At most ``max_draws`` draws, evenly spaced in every chain, at least one of each.

    Raises
    ------
    DataError
        When a draw is not finite.
    """
    posterior = trace["posterior"]
    chains, per_chain = posterior.sizes["chain"], posterior.sizes["draw"]
    step = -(-per_chain // max(max_draws // chains, 1))
    xi, alpha, beta, *second = (
        # (chain, draw, n) -> (n, draws), copied because the kernel loops over the draws
        np.concatenate(posterior[name].to_numpy()[:, ::step], axis=0).T.copy()
        for name in _names(trace)
    )
    if not all(np.isfinite(x).all() for x in (xi, alpha, beta, *second)):
        raise DataError("the trace holds draws that are not finite")
    return VoteDraws(xi, alpha, beta, chains, step, (second[0], second[1]) if second else None)


def predictable(trace: "DataTree") -> bool:
    """Whether every draw of positions and roll calls is finite, so that votes follow from it."""
    posterior = trace["posterior"]
    return all(bool(np.isfinite(posterior[name].to_numpy()).all()) for name in _names(trace))


def _names(trace: "DataTree") -> list[str]:
    """What the probability of a vote is made of."""
    second = ["xi_2", "beta_2"] if "xi_2" in trace["posterior"] else []
    return ["xi", "alpha", "beta", *second]


def blocks_of(cells: NDArray[np.int8]) -> list[Block]:
    """The observed votes in blocks, legislator by legislator."""
    blocks, first = [], 0
    for row, cells_of_row in enumerate(cells):
        cast = np.flatnonzero(cells_of_row)
        for start in range(0, len(cast), _BLOCK):
            columns = cast[start : start + _BLOCK]
            blocks.append(Block(first, row, columns, cells_of_row[columns]))
            first += len(columns)
    return blocks


def block_log_likelihood(block: Block, draws: VoteDraws, out: Floats | None = None) -> Floats:
    """Log-probability of every vote of a block in every draw, shape (votes, n_draws)."""
    if out is None:
        out = np.empty((len(block.cells), draws.xi.shape[1]))
    position = draws.xi[block.row]
    if draws.second is not None:
        positions = position, draws.second[0][block.row]
        slopes = draws.beta, draws.second[1]
        pointwise_loglik_of_plane(block.cells, block.columns, positions, draws.alpha, slopes, out)
        return out
    pointwise_loglik(block.cells, block.columns, position, draws.alpha, draws.beta, out)
    return out


def relative_efficiency(blocks: list[Block], draws: VoteDraws) -> float:
    """The effective number of draws divided by the number of draws.

    One number for all votes, as in ArviZ, but it is the mean over likelihoods, which PSIS averages,
    and not over parameters. The votes come from evenly spaced legislators, and from a different
    roll call for each.
    """
    chosen = blocks[:: -(-len(blocks) // _EFFICIENCY_VOTES)]
    likelihoods = []
    for i, block in enumerate(chosen):
        position = [i * len(block.cells) // len(chosen)]
        vote = block._replace(columns=block.columns[position], cells=block.cells[position])
        likelihoods.append(np.exp(block_log_likelihood(vote, draws)))
    by_chain = np.reshape(likelihoods, (len(chosen), draws.chains, -1))
    # A vote that is certain in every draw has no effective number of draws (ArviZ returns the
    # absolute number for it), and neither has a chain of fewer than four draws.
    by_chain = by_chain[np.ptp(by_chain, axis=(1, 2)) > _CERTAIN]
    if not len(by_chain) or by_chain.shape[2] < _LEAST_CHAIN:
        return 1.0
    return float(relative_ess(by_chain).mean())
