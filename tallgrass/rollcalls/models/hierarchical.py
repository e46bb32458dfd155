"""Two-parameter logistic model of one chamber with partial pooling by party.

    mu_D < mu_R, each N(0, 2) before sorting       sigma_g ~ HalfNormal(1)
    xi_i ~ N(mu_g, sigma_g),  g the party of i     alpha_j ~ N(0, 5),  beta_j ~ N(0, 1)
    logit P(yea) = beta_j xi_i - alpha_j

There may be more groups than the two parties. The order of the first two fixes the direction of the
scale; every further group has a mean ``mu_k ~ N(0, 2)`` that no order holds, and a spread of its
own. In canonical coordinates the pair gives the scale, ``v = -1`` and ``v = +1``, and a further
group has its members' mean ``m_k`` of v as a coordinate: ``M_k = mid + s m_k`` with
``M_k ~ N(0, 2^2 + sigma_k^2 / n_k)`` after mu_k is integrated out, which is then drawn from its
Gaussian conditional given M_k. The density gains ``+ log s`` a further group, (M_k) -> (m_k).

Sources: Clinton, Jackman and Rivers (2004) for the likelihood, Gelman and Hill (2007, ch. 14) for
the party level. The ModelSpec sets the priors. ``build_hierarchical`` writes the model in textbook
coordinates, or the same posterior in the coordinates of :mod:`tallgrass.rollcalls.coordinates`.
"""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray

from tallgrass.errors import DataError
from tallgrass.inference.constants import (
    integers,
    number,
    numbers,
)
from tallgrass.inference.priors import PriorNumbers, PriorSpec
from tallgrass.rollcalls import coordinates as co
from tallgrass.rollcalls.groups import PARTIES, variable_names
from tallgrass.rollcalls.models.base import (
    SPREAD,
    TYPICAL_SPREAD,
    Model,
    Point,
    add_likelihood,
    free_name,
    free_rollcalls,
    jittered,
    rollcall_start,
    textbook_rollcall_start,
    textbook_rollcalls,
    vote_coordinates,
)
from tallgrass.rollcalls.models.equal_slopes import (
    Slopes,
    add_equal_slopes,
    directions,
    equal_slopes_start,
)
from tallgrass.rollcalls.models.group_members import (
    add_group,
    group_start,
    position_information,
)
from tallgrass.rollcalls.spec import FEW_MEMBERS, SMALL_PARTY, SMALL_PARTY_SCALE, ModelSpec
from tallgrass.rollcalls.start import Start, centred_positions
from tallgrass.rollcalls.votes import VoteMatrix, check_groups

PUBLIC = ("xi", "mu_party", "sigma_within", "alpha", "beta")
LEAST_APART = 1.0  # of a pair of groups that fixes a scale, in standard deviations within a group


def build_hierarchical(votes: VoteMatrix, spec: ModelSpec, start: Start) -> Model:
    """The hierarchical model of one chamber.

    Raises
    ------
    DataError
        When a legislator belongs to no group, there are fewer than two groups, or one of them has
        no member.
    """
    require_parties(votes)
    sizes = group_sizes(votes)
    build = _canonical if spec.coordinates == "canonical" else _textbook
    warnings = (*party_warnings(votes), *_near_pair(votes, start.pca))
    return replace(build(votes, spec, start, sizes), warnings=warnings)


def group_sizes(votes: VoteMatrix) -> NDArray[np.int64]:
    """Members of every group, shape (n_groups,)."""
    return np.bincount(votes.party_index, minlength=len(votes.groups))


def require_parties(votes: VoteMatrix) -> None:
    """Refuse votes that a model with a level of parties, or of other groups, cannot take.

    Raises
    ------
    DataError
        When a legislator belongs to no group, there are fewer than two groups, or one of them has
        no member.
    """
    check_groups(votes)
    outsiders = [member.slug for member in votes.legislators if member.party not in votes.groups]
    if outsiders:
        of_none = "neither major party" if votes.groups == PARTIES else "no group"
        raise DataError(
            f"legislators of {of_none} in a party model",
            ", ".join(outsiders),
            "leave them out with filter_votes(parties_only=True), or use model=flat",
        )


def party_warnings(votes: VoteMatrix) -> tuple[str, ...]:
    """What is to be said of small parties."""
    called = "the {} party" if votes.groups == PARTIES else "the group {}"
    return tuple(
        f"{called.format(group)} has {n} members, so its spread depends mostly on the prior"
        for group, n in zip(votes.groups, group_sizes(votes), strict=True)
        if n < FEW_MEMBERS
    )


def _near_pair(votes: VoteMatrix, pca: NDArray[np.float64]) -> tuple[str, ...]:
    """What is to be said of a pair of groups that does not fix the scale."""
    if votes.groups == PARTIES:
        return ()
    low, high = (pca[votes.party_index == g] for g in (0, 1))
    apart = abs(high.mean() - low.mean()) / max(np.sqrt((low.var() + high.var()) / 2), 1e-9)
    if apart >= LEAST_APART:
        return ()
    return (
        f"the groups {votes.groups[0]} and {votes.groups[1]} hardly differ on the main division of "
        f"the votes ({apart:.1f} standard deviations within a group), so they fix its scale badly: "
        "name a pair that differs with groups_order=LOW,HIGH, or use model=flat",
    )


def _textbook(votes: VoteMatrix, spec: ModelSpec, start: Start, sizes: NDArray[np.int64]) -> Model:
    priors = spec.priors
    small = np.where(sizes < SMALL_PARTY, SMALL_PARTY_SCALE, 1.0)
    with pm.Model(coords=vote_coordinates(votes)) as graph:
        unsorted = priors["mu"].variable("mu_party_unsorted", dims="party")
        mu = pm.Deterministic("mu_party", _pair_sorted(unsorted, len(sizes)), dims="party")
        unit = priors["sigma"].variable("sigma_unit", dims="party")
        sigma = pm.Deterministic("sigma_within", numbers(small) * unit, dims="party")
        offset = pm.Normal("xi_offset", 0, 1, dims="legislator")
        party = integers(votes.party_index)
        xi = pm.Deterministic("xi", mu[party] + sigma[party] * offset, dims="legislator")
        if spec.discrimination == "equal":
            alpha = priors["alpha"].variable("alpha", dims="rollcall")
            beta = pm.Deterministic("beta", numbers(directions(votes, start.pca)), dims="rollcall")
        else:
            alpha, beta = textbook_rollcalls(spec)
        add_likelihood(votes, spec.likelihood, xi, alpha, beta)
    n = len(votes.legislators)
    point = {
        "mu_party_unsorted": np.zeros(len(sizes)),
        free_name(priors["sigma"], "sigma_unit"): np.zeros(len(sizes)),
        "xi_offset": np.zeros(n) if start.scores is None else start.scores,
        "alpha": np.zeros(len(votes.rollcalls)),
    }
    if spec.discrimination == "free":
        point |= textbook_rollcall_start(spec, len(votes.rollcalls))
    # Every variable without a score is jittered: else a half-normal spread starts at its support
    # point, where its logarithm is not finite.
    fixed = set() if start.scores is None else {"xi_offset"}
    return Model(graph, PUBLIC, partial(jittered, point, fixed=fixed))


def _pair_sorted(means: Any, n_groups: int) -> Any:
    """The first two means in order, the others as they are."""
    if n_groups == 2:
        return pt.sort(means)
    return pt.concatenate([pt.sort(means[:2]), means[2:]])


def _canonical(votes: VoteMatrix, spec: ModelSpec, start: Start, sizes: NDArray[np.int64]) -> Model:
    priors = {name: prior.numbers() for name, prior in spec.priors.items()}
    party, n_rollcalls = votes.party_index, number(len(votes.rollcalls))
    members, names = [number(n) for n in sizes], variable_names(votes.groups)
    information = position_information(votes, start.pca)
    with pm.Model(coords=vote_coordinates(votes)) as graph:
        # Standardised positions, and the spread of each party in their units.
        groups = [
            add_group(name, int(n), float(known))
            for name, n, known in zip(names, sizes, information, strict=True)
        ]
        deviations, squares, log_tau = (list(part) for part in zip(*groups, strict=True))
        further = [pm.Flat(f"mean_{name}") for name in names[2:]]
        v = co.standardised_positions(deviations, party, further)
        equal = spec.discrimination == "equal"
        if equal:
            slopes = add_equal_slopes(votes, start.pca)
        else:
            slopes = _add_free_slopes(votes, priors["beta"], n_rollcalls)
        rollcalls, log_s, beta = slopes.rollcalls, slopes.log_s, slopes.beta
        s = pt.exp(log_s)
        log_sigma = [log_s + spread for spread in log_tau]
        sigma = [pt.exp(spread) for spread in log_sigma]
        pm.Deterministic("sigma_within", pt.stack(sigma), dims="party")

        member_variance = [spread**2 / n for spread, n in zip(sigma, members, strict=True)]
        centre = co.location(
            rollcalls.a,
            beta,
            priors["alpha"],
            s,
            [priors["mu"].sigma ** 2 + variance for variance in member_variance],
            priors["mu"],
            pm.Normal("eps_mid"),
            further,
        )
        means = co.ordered_party_means(
            (centre.mid - s, centre.mid + s),
            member_variance[:2],
            priors["mu"],
            pm.Flat("eps_gap"),
            pm.Normal("eps_level"),
        )
        others = [
            co.free_mean(centre.mid + s * m, variance, priors["mu"], pm.Normal(f"eps_mean_{name}"))
            for name, m, variance in zip(names[2:], further, member_variance[2:], strict=True)
        ]
        pm.Deterministic("mu_party", pt.stack([*means.mu, *others]), dims="party")
        pm.Deterministic("alpha", rollcalls.a + beta * centre.mid, dims="rollcall")
        pm.Deterministic("xi", centre.mid + s * v, dims="legislator")

        # + log s: party means -> (mid, s), and the mean of each further group -> m
        pm.Potential("location", centre.log_density + _times(1 + len(further), log_s))
        pm.Potential("party_means", means.log_density)
        for g, (name, prior) in enumerate(zip(names, spread_priors(spec, sizes), strict=True)):
            # Members about their party are N(0, sigma_g) in n_g - 1 dimensions, and powers of s
            # cancel; then the prior of sigma_g, on the log scale.
            about = -(members[g] - 1) * log_tau[g] - squares[g] / (2 * pt.exp(2 * log_tau[g]))
            spread = co.prior_logp(prior.numbers(), sigma[g], log_sigma[g]) + log_sigma[g]
            pm.Potential(f"members_{name}", about + spread)
        if not equal:
            pm.Potential("discrimination", slopes.log_density)
        add_likelihood(votes, spec.likelihood, v, rollcalls.a, rollcalls.b)
    return Model(graph, PUBLIC, partial(_canonical_start, votes, spec, start))


def _times(n: int, value: Any) -> Any:
    """N times a scalar; once is the scalar itself, which keeps the graph of two parties."""
    return value if n == 1 else number(n) * value


def _add_free_slopes(votes: VoteMatrix, prior: PriorNumbers, n_rollcalls: Any) -> Slopes:
    """Every roll call its own discrimination; the scale is that at which they have their prior."""
    rollcalls, log_b = free_rollcalls(votes, prior, votes.party_index)
    log_s = co.log_scale(rollcalls.b, log_b, prior, pm.Flat("eps_s"), n_rollcalls)
    beta = pm.Deterministic("beta", rollcalls.b / pt.exp(log_s), dims="rollcall")
    log_beta = None if log_b is None else log_b - log_s
    log_density = (
        co.prior_logp(prior, beta, log_beta) - n_rollcalls * log_s + rollcalls.log_jacobian
    )
    return Slopes(rollcalls, log_s, beta, log_density)


def _canonical_start(
    votes: VoteMatrix, spec: ModelSpec, start: Start, generator: np.random.Generator
) -> Point:
    """The start of one chain: scores, spread a little, and roll calls fitted to them."""
    party = votes.party_index
    n = len(votes.legislators)
    scores = generator.normal(size=n) if start.scores is None else start.scores
    v = centred_positions(scores, party)
    # Spread the chains within the mode, by a fraction of a typical spread within a party.
    v = centred_positions(v + SPREAD * TYPICAL_SPREAD * generator.normal(size=n), party)
    equal = spec.discrimination == "equal"
    scale = () if equal else ("eps_s",)
    # The order of the variables is that in which chains are jittered: it stays, and draws with it.
    point = {name: np.zeros(()) for name in (*scale, "eps_mid", "eps_gap", "eps_level")}
    names, information = variable_names(votes.groups), position_information(votes, start.pca)
    point |= {f"eps_mean_{name}": np.zeros(()) for name in names[2:]}
    centres = [-1.0, 1.0, *(v[party == g].mean() for g in range(2, len(names)))]
    for g, name in enumerate(names):
        y = co.zero_sum_inverse(v[party == g] - centres[g])
        point |= group_start(name, y, float(information[g]))
    if equal:
        point |= equal_slopes_start(votes, v)
    else:
        point |= rollcall_start(votes, v, spec.priors["beta"].positive, party)
    point |= {f"mean_{name}": np.asarray(centres[g + 2]) for g, name in enumerate(names[2:])}
    fixed = {f"deviation_{name}" for name in names} | {f"mean_{name}" for name in names}
    return jittered(point, generator, fixed)


def spread_priors(spec: ModelSpec, sizes: NDArray[np.int64]) -> list[PriorSpec]:
    """Prior of sigma_within by party, narrower for a small party."""
    prior = spec.priors["sigma"]
    return [prior.scaled(SMALL_PARTY_SCALE) if n < SMALL_PARTY else prior for n in sizes]
