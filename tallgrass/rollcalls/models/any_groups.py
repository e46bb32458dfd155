"""The hierarchical model of any groups: parties of another country, regions, factions.

The model is that of :mod:`tallgrass.rollcalls.models.hierarchical`. There the members' means of the
two parties are v = -1 and v = +1, which is no scale where the means of two groups may be equal.
Here the two halves of the order of the first principal component have those means, and every group
is where it is.

Free are the groups' means c_g and deviations, in all positions u of n members; with c the middle of
the halves' means of u and h half the distance between them, ``v = (u - c) / h`` and
``xi = mid + s v``. c and log h are dummies N(0, d), which no other density sees. The Jacobian of
``(u, mid, log s) -> (xi, c, log h)`` is ``alpha^(n - 1)`` with ``alpha = s / h``: given u,
(mid, log s) are exchanged for the shift and the log-scale of xi = A + alpha u, with determinant 1;
given these, xi has ``alpha^n``; and given xi, (c, log h) has ``1 / alpha`` in them. With the
spreads ``sigma_g = alpha tau_g`` of n_g - 1 deviations, ``(K - 1) log alpha`` is left for K groups.

The members' mean of a group has the density ``N(0, 2^2 + sigma_g^2 / n_g)`` after mu_g is
integrated out, which is then drawn from its conditional given the members. For the ordered pair
this is a truncated normal distribution, see
:func:`tallgrass.rollcalls.group_means.truncated_pair`. Where the pair hardly differs the mirror
image of the scale is a second mode, and only the start says which of the two is sampled.
"""

from functools import partial

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray

from tallgrass.inference.constants import number, numbers
from tallgrass.rollcalls import coordinates as co
from tallgrass.rollcalls.group_means import free_mean, truncated_pair
from tallgrass.rollcalls.groups import variable_names
from tallgrass.rollcalls.models.base import (
    SPREAD,
    TYPICAL_SPREAD,
    Model,
    Point,
    add_likelihood,
    jittered,
    rollcall_start,
    vote_coordinates,
)
from tallgrass.rollcalls.models.equal_slopes import add_equal_slopes, equal_slopes_start
from tallgrass.rollcalls.models.free_slopes import add_free_slopes
from tallgrass.rollcalls.models.group_members import (
    VotesOfGroup,
    add_group,
    group_start,
    not_jittered,
    note_dummies,
    votes_of_groups,
)
from tallgrass.rollcalls.spec import ModelSpec
from tallgrass.rollcalls.start import Floats, Start, centred_positions
from tallgrass.rollcalls.votes import VoteMatrix

SIDE = "side"  # c and log h, which tests look at


def halves(pca: Floats) -> NDArray[np.int8]:
    """0 for the lower half of the scores and 1 for the upper one, shape (n_legislators,)."""
    order = np.argsort(np.argsort(pca))
    return (order >= len(pca) // 2).astype(np.int8)


def build_any_groups(
    votes: VoteMatrix,
    spec: ModelSpec,
    start: Start,
    public: tuple[str, ...],
    priors_of_spread: list[co.Prior],
) -> Model:
    """The model in canonical coordinates; ``priors_of_spread`` are those of sigma by group."""
    priors = {name: prior.numbers() for name, prior in spec.priors.items()}
    group, names, sides = votes.party_index, variable_names(votes.groups), halves(start.pca)
    sizes = [int(np.sum(group == g)) for g in range(len(names))]
    members, n_rollcalls = [number(n) for n in sizes], number(len(votes.rollcalls))
    known = votes_of_groups(votes, start.pca, sides)
    width = number(_dummy_width(len(group)))
    with pm.Model(coords=vote_coordinates(votes)) as graph:
        groups = [
            add_group(name, n, of_group)
            for name, n, of_group in zip(names, sizes, known, strict=True)
        ]
        note_dummies(groups)
        centres = [pm.Flat(f"mean_{name}") for name in names]
        u = co.positions_of_groups([part.y for part in groups], group, centres)
        left, right = (pt.sum(numbers(_weights(sides, side)) * u) for side in (0, 1))
        c, log_h = (left + right) / 2, pt.log((right - left) / 2)
        pm.Deterministic(SIDE, pt.stack([c, log_h]))
        pm.Potential("dummies", -(c**2 + log_h**2) / (2 * width**2))
        v = (u - c) / pt.exp(log_h)

        equal = spec.discrimination == "equal"
        slopes = (
            add_equal_slopes(votes, start.pca)
            if equal
            else add_free_slopes(votes, priors["beta"], n_rollcalls, sides)
        )
        rollcalls, beta, s = slopes.rollcalls, slopes.beta, pt.exp(slopes.log_s)
        log_alpha = slopes.log_s - log_h
        log_sigma = [log_alpha + part.log_tau for part in groups]
        sigma = [pt.exp(spread) for spread in log_sigma]
        pm.Deterministic("sigma_within", pt.stack(sigma), dims="party")

        member_variance = [spread**2 / n for spread, n in zip(sigma, members, strict=True)]
        mean_variance = [priors["mu"].sigma ** 2 + variance for variance in member_variance]
        from_centre = [pt.exp(log_alpha) * (centre - c) for centre in centres]
        location = co.centre(
            rollcalls.a - priors["alpha"].mu,
            beta,
            priors["alpha"].sigma ** -2,
            [offset - priors["mu"].mu for offset in from_centre],
            mean_variance,
            pm.Normal("eps_mid"),
        )
        member_means = [location.mid + offset for offset in from_centre]
        means = truncated_pair(
            member_means[:2],
            member_variance[:2],
            priors["mu"],
            pm.Flat("eps_gap"),
            pm.Normal("eps_level"),
        )
        others = [
            free_mean(mean, variance, priors["mu"], pm.Normal(f"eps_mean_{name}"))
            for name, mean, variance in zip(
                names[2:], member_means[2:], member_variance[2:], strict=True
            )
        ]
        pm.Deterministic("mu_party", pt.stack([*means.mu, *others]), dims="party")
        pm.Deterministic("alpha", rollcalls.a + beta * location.mid, dims="rollcall")
        pm.Deterministic("xi", location.mid + s * v, dims="legislator")

        log_density = location.log_density - sum(pt.log(x) for x in mean_variance) / 2
        pm.Potential("location", log_density + number(len(names) - 1) * log_alpha)
        pm.Potential("party_means", means.log_density)
        for g, name in enumerate(names):
            tau = groups[g].log_tau
            about = -(members[g] - 1) * tau - groups[g].squares / (2 * pt.exp(2 * tau))
            spread = co.prior_logp(priors_of_spread[g], sigma[g], log_sigma[g]) + log_sigma[g]
            pm.Potential(f"members_{name}", about + spread)
        if not equal:
            pm.Potential("discrimination", slopes.log_density)
        add_likelihood(votes, spec.likelihood, v, rollcalls.a, rollcalls.b)
    start_of = partial(_chain_start, votes, spec, start, sides, known)
    return Model(graph, public, start_of, n_dummies=len(groups))


def _dummy_width(n: int) -> float:
    """SD of c and log h: that of the mean of n typical members, so that no direction is longer."""
    return float(TYPICAL_SPREAD / np.sqrt(n))


def _weights(sides: NDArray[np.int8], side: int) -> Floats:
    """Weights that make a sum over members the mean of one half."""
    inside = sides == side
    return np.asarray(inside / inside.sum())


def _chain_start(
    votes: VoteMatrix,
    spec: ModelSpec,
    start: Start,
    sides: NDArray[np.int8],
    known: list[VotesOfGroup],
    generator: np.random.Generator,
) -> Point:
    """The start of one chain: scores, spread a little, and roll calls fitted to them."""
    group, names, n = votes.party_index, variable_names(votes.groups), len(votes.legislators)
    scores = generator.normal(size=n) if start.scores is None else start.scores
    v = centred_positions(scores, sides)
    v = centred_positions(v + SPREAD * TYPICAL_SPREAD * generator.normal(size=n), sides)
    equal = spec.discrimination == "equal"
    scalars = [*(() if equal else ("eps_s",)), "eps_mid", "eps_gap", "eps_level"]
    scalars += [f"eps_mean_{name}" for name in names[2:]]
    point: Point = {name: np.zeros(()) for name in scalars}
    fixed = set()
    for g, name in enumerate(names):
        own = v[group == g]
        point |= group_start(name, co.zero_sum_inverse(own - own.mean()), known[g])
        point[f"mean_{name}"] = np.asarray(own.mean())
        fixed |= not_jittered(name, len(own)) | {f"mean_{name}"}
    if equal:
        point |= equal_slopes_start(votes, v)
    else:
        point |= rollcall_start(votes, v, spec.priors["beta"].positive, sides)
    return jittered(point, generator, fixed)
