"""Two-parameter logistic model of one chamber with partial pooling by party.

    mu_D < mu_R, each N(0, 2) before sorting       sigma_g ~ HalfNormal(1)
    xi_i ~ N(mu_g, sigma_g),  g the party of i     alpha_j ~ N(0, 5),  beta_j ~ N(0, 1)
    logit P(yea) = beta_j xi_i - alpha_j

There may be other groups than the two parties, and more of them. The order of the means of the
first two fixes the direction of the scale; every further group has a mean ``mu_k ~ N(0, 2)`` that
no order holds, and a spread of its own. Their coordinates are those of
:mod:`tallgrass.rollcalls.models.any_groups`.

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
from tallgrass.inference.priors import PriorSpec
from tallgrass.rollcalls import coordinates as co
from tallgrass.rollcalls.group_checks import check_groups
from tallgrass.rollcalls.group_means import ordered_party_means
from tallgrass.rollcalls.groups import PARTIES
from tallgrass.rollcalls.models.any_groups import build_any_groups
from tallgrass.rollcalls.models.base import (
    SPREAD,
    TYPICAL_SPREAD,
    Model,
    Point,
    add_likelihood,
    free_name,
    jittered,
    rollcall_start,
    textbook_rollcall_start,
    textbook_rollcalls,
    vote_coordinates,
)
from tallgrass.rollcalls.models.equal_slopes import (
    add_equal_slopes,
    directions,
    equal_slopes_start,
)
from tallgrass.rollcalls.models.free_slopes import add_free_slopes
from tallgrass.rollcalls.models.group_members import (
    VotesOfGroup,
    add_group,
    group_start,
    not_jittered,
    note_dummies,
    votes_of_groups,
)
from tallgrass.rollcalls.spec import FEW_MEMBERS, SMALL_PARTY, SMALL_PARTY_SCALE, ModelSpec
from tallgrass.rollcalls.start import Start, centred_positions
from tallgrass.rollcalls.votes import VoteMatrix

PUBLIC = ("xi", "mu_party", "sigma_within", "alpha", "beta")
LEAST_APART = 1.0  # of the pair of groups, in standard deviations within a group
_NAMES = tuple(party.lower() for party in PARTIES)


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
    if spec.coordinates == "textbook":
        model = _textbook(votes, spec, start, sizes)
    elif votes.groups == PARTIES:
        model = _canonical(votes, spec, start, sizes)
    else:
        spreads: list[co.Prior] = [prior.numbers() for prior in spread_priors(spec, sizes)]
        model = build_any_groups(votes, spec, start, PUBLIC, spreads)
    # Slopes of either sign move with the spreads, positive or equal ones less so.
    equal = spec.discrimination == "equal"
    signed = spec.coordinates != "textbook" and not equal and not spec.priors["beta"].positive
    return replace(
        model,
        adaptation="draw_diag" if signed else "diag",
        warnings=(*party_warnings(votes), *_near_pair(votes, start.pca)),
    )


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
    """What is to be said of a pair of groups whose order says little."""
    if votes.groups == PARTIES:
        return ()
    low, high = (pca[votes.party_index == g] for g in (0, 1))
    apart = abs(high.mean() - low.mean()) / max(np.sqrt((low.var() + high.var()) / 2), 1e-9)
    if apart >= LEAST_APART:
        return ()
    return (
        f"the groups {votes.groups[0]} and {votes.groups[1]} hardly differ on the main division of "
        f"the votes ({apart:.1f} standard deviations within a group): their order, which gives the "
        "direction of the scale, is no finding; groups_order=LOW,HIGH names another pair",
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
    members, known = [number(n) for n in sizes], votes_of_groups(votes, start.pca, party)
    with pm.Model(coords=vote_coordinates(votes)) as graph:
        # Standardised positions, and the spread of each party in their units.
        parties = [
            add_group(name, int(n), of_party)
            for name, n, of_party in zip(_NAMES, sizes, known, strict=True)
        ]
        note_dummies(parties)
        v = co.standardised_positions([part.y for part in parties], party)
        equal = spec.discrimination == "equal"
        if equal:
            slopes = add_equal_slopes(votes, start.pca)
        else:
            slopes = add_free_slopes(votes, priors["beta"], n_rollcalls, party)
        rollcalls, log_s, beta = slopes.rollcalls, slopes.log_s, slopes.beta
        s = pt.exp(log_s)
        log_sigma = [log_s + part.log_tau for part in parties]
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
        )
        means = ordered_party_means(
            (centre.mid - s, centre.mid + s),
            member_variance,
            priors["mu"],
            pm.Flat("eps_gap"),
            pm.Normal("eps_level"),
        )
        pm.Deterministic("mu_party", pt.stack(means.mu), dims="party")
        pm.Deterministic("alpha", rollcalls.a + beta * centre.mid, dims="rollcall")
        pm.Deterministic("xi", centre.mid + s * v, dims="legislator")

        pm.Potential("location", centre.log_density + log_s)  # + log s: party means -> (mid, s)
        pm.Potential("party_means", means.log_density)
        for g, (name, prior) in enumerate(zip(_NAMES, spread_priors(spec, sizes), strict=True)):
            # Members about their party are N(0, sigma_g) in n_g - 1 dimensions, and powers of s
            # cancel; then the prior of sigma_g, on the log scale.
            tau = parties[g].log_tau
            about = -(members[g] - 1) * tau - parties[g].squares / (2 * pt.exp(2 * tau))
            spread = co.prior_logp(prior.numbers(), sigma[g], log_sigma[g]) + log_sigma[g]
            pm.Potential(f"members_{name}", about + spread)
        if not equal:
            pm.Potential("discrimination", slopes.log_density)
        add_likelihood(votes, spec.likelihood, v, rollcalls.a, rollcalls.b)
    start_of = partial(_canonical_start, votes, spec, start, known)
    return Model(graph, PUBLIC, start_of, n_dummies=len(parties))


def _canonical_start(
    votes: VoteMatrix,
    spec: ModelSpec,
    start: Start,
    known: list[VotesOfGroup],
    generator: np.random.Generator,
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
    fixed = set()
    for g, name in enumerate(_NAMES):
        y = co.zero_sum_inverse(v[party == g] - 2.0 * g + 1.0)
        point |= group_start(name, y, known[g])
        fixed |= not_jittered(name, len(y) + 1)
    if equal:
        point |= equal_slopes_start(votes, v)
    else:
        point |= rollcall_start(votes, v, spec.priors["beta"].positive, party)
    return jittered(point, generator, fixed)


def spread_priors(spec: ModelSpec, sizes: NDArray[np.int64]) -> list[PriorSpec]:
    """Prior of sigma_within by party, narrower for a small party."""
    prior = spec.priors["sigma"]
    return [prior.scaled(SMALL_PARTY_SCALE) if n < SMALL_PARTY else prior for n in sizes]
