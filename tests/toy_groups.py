"""Small chambers whose groups are not Democrats and Republicans, for the tests of groups."""

from collections.abc import Mapping

import numpy as np

from tallgrass.rollcalls.votes import Legislator, RollCall, VoteMatrix

# Members of each party, its mean position, and the spread within.
THREE = {"Labour": (24, -1.3, 0.5), "Conservative": (26, 1.2, 0.5), "Liberal": (12, -0.1, 0.5)}
NEBRASKA = {"Nonpartisan": (49, 0.0, 1.0)}


def _columns(i: int, position: float) -> tuple[tuple[str, str], ...]:
    """A side and a third that say nothing of the votes, and a wing that says much."""
    return (
        ("side", "NS"[i % 2]),
        ("third", "abc"[i % 3]),
        ("wing", "left" if position < 0 else "right"),
    )


def chamber(
    groups: Mapping[str, tuple[int, float, float]],
    rollcalls: int,
    seed: int = 0,
    missing: float = 0.05,
) -> tuple[VoteMatrix, np.ndarray]:
    """Votes of a simulated chamber, and the true positions by row of the matrix.

    Parameters
    ----------
    groups : mapping
        By party: members, mean position, spread.
    """
    generator = np.random.default_rng(seed)
    parties = [party for party, (n, _, _) in groups.items() for _ in range(n)]
    generator.shuffle(parties)
    middle = np.array([groups[party][1] for party in parties])
    spread = np.array([groups[party][2] for party in parties])
    xi = middle + spread * generator.normal(size=len(parties))
    beta = 2.5 * generator.normal(size=rollcalls)
    alpha = beta * 1.3 * generator.normal(size=rollcalls)  # cut points in every group
    p_yea = 1 / (1 + np.exp(alpha - np.outer(xi, beta)))
    cells = np.where(generator.random(p_yea.shape) < p_yea, 1, -1)
    cells[generator.random(p_yea.shape) < missing] = 0
    votes = VoteMatrix(
        cells.astype(np.int8),
        tuple(
            Legislator(f"m{i:03d}", f"Member {i}", party, columns=_columns(i, xi[i]))
            for i, party in enumerate(parties)
        ),
        tuple(RollCall(f"v{j:04d}", f"LB {j}", date="2025-02-01") for j in range(rollcalls)),
        "toy",
        "senate",
    )
    return votes, xi
