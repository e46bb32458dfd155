"""The dynamic model is exact against SciPy by the Jacobian of the whole map."""

import itertools

import numpy as np
import pytest
from scipy import stats
from scipy.special import log_expit
from toy import Density, log_determinant
from toy_careers import toy_careers

from tallgrass.inference.priors import PriorSpec
from tallgrass.rollcalls.career_scales import steps_to_levels
from tallgrass.rollcalls.careers import careers_start
from tallgrass.rollcalls.coordinates import zero_sum_inverse
from tallgrass.rollcalls.models import build_model
from tallgrass.rollcalls.models.base import NON_CENTRED
from tallgrass.rollcalls.spec import RunSpec

OTHER = {
    "tau_prior": "lognormal:-2,0.7",
    "mu_walk_prior": "normal:0.1,0.3",
    "delta_prior": "normal:0.2,0.8",
    "log_k_prior": "normal:-0.1,0.4",
}


def scale_of(careers, x):
    """Middle and half gap of every sitting, from plain positions."""
    scales = []
    for t in range(len(careers.sittings)):
        rows, party = careers.rows_of(t), careers.sittings[t].votes.party_index
        left, right = (x[rows][party == g].mean() for g in (0, 1))
        scales.append(((left + right) / 2, (right - left) / 2))
    return np.array(scales).T


def normal(prior):
    return stats.norm(prior.mu, prior.sigma)


def textbook_logpdf(careers, spec, values):
    """The model of the module's documentation, with SciPy, in positions, alpha and beta."""
    x, alpha, beta = values["xi"], values["alpha"], values["beta"]
    votes = careers.combined
    logp = log_expit(votes.cells * (np.outer(x, beta) - alpha))[votes.cells != 0].sum()
    delta, k = scale_of(careers, x)
    free = np.arange(len(k)) != careers.reference_sitting
    priors = {
        name: PriorSpec.parse(getattr(spec, f"{name}_prior"))
        for name in ("delta", "log_k", "mu_walk", "tau")
    }
    logp += normal(priors["delta"]).logpdf(delta[free]).sum()
    logp += normal(priors["log_k"]).logpdf(np.log(k[free])).sum()

    tau, mu, sigma = values["tau"], values["mu_new"].reshape(-1, 2), values["sigma_new"]
    prior = priors["tau"]
    logp += (
        stats.lognorm(prior.sigma, scale=np.exp(prior.mu))
        if prior.distribution == "lognormal"
        else stats.halfnorm(scale=prior.sigma)
    ).logpdf(tau)
    logp += stats.halfnorm().logpdf(sigma).sum()
    last = {}
    order = sorted(range(len(careers.sittings)), key=lambda t: (careers.sittings[t].time, t))
    walk = stats.t(4) if spec.walk == "t4" else stats.norm()
    for t in order:
        sitting = careers.sittings[t]
        for i, row in enumerate(careers.rows_of(t)):
            member = sitting.votes.legislators[i]
            person = member.slug[4:]
            if not careers.chamber_changes:
                person += sitting.chamber
            # in one session the House comes first; a senator goes on from the last Senate seat
            if person in last:
                time, before = max(last[person], key=lambda e: (e[0], e[2] == sitting.chamber))[:2]
                scale = tau * np.sqrt(sitting.time - time or 0.5)
                logp += walk.logpdf((x[row] - before) / scale) - np.log(scale)
            else:
                g = sitting.votes.party_index[i]
                logp += stats.norm.logpdf(x[row], mu[t, g], sigma[g])
            last.setdefault(person, []).append((sitting.time, x[row], sitting.chamber))
    for chamber in careers.chambers:
        own = [t for t in order if careers.sittings[t].chamber == chamber]
        for before, after in itertools.pairwise(own):
            gap = careers.sittings[after].time - careers.sittings[before].time
            step = priors["mu_walk"]
            logp += stats.norm.logpdf(
                mu[after], mu[before] + step.mu * gap, step.sigma * np.sqrt(gap)
            ).sum()
        first = next(
            (t for t in own if careers.sittings[t].session == careers.reference_session), own[-1]
        )
        logp += stats.norm.logpdf(mu[first], [-1.0, 1.0]).sum()
    return logp + bills_logpdf(careers, values, delta, k)


def bills_logpdf(careers, values, delta, k):
    alpha, beta = (values[name][careers.columns] for name in ("alpha", "beta"))
    sigma = values["sigma_bill"]
    t = careers.sitting_of_column
    centres = np.stack([delta - k, delta + k])  # (2, sittings)
    logits = beta * centres[:, t] - alpha
    expected, spread = np.zeros_like(logits), np.tile(sigma[t], (2, 1))
    bridges = careers.bridges
    if len(bridges.house):
        sessions = [
            careers.sessions.index(careers.sittings[s].session) for s in bridges.senate_sitting
        ]
        at = centres[:, bridges.senate_sitting]
        expected[:, bridges.senate] = beta[bridges.house] * at - alpha[bridges.house]
        spread[:, bridges.senate] = values["sigma_dif"][sessions]
    logp = stats.norm.logpdf(logits, expected, spread).sum() + np.log(2 * k[t]).sum()
    logp += stats.halfnorm(scale=5).logpdf(sigma).sum()
    if "sigma_dif" in values:
        logp += stats.halfnorm(scale=2).logpdf(values["sigma_dif"]).sum()
    return logp


def plain(careers, values):
    """What is free in the textbook form, as one vector."""
    x, reference = values["xi"], careers.reference_sitting
    rows = careers.rows_of(reference)
    party = careers.sittings[reference].votes.party_index
    held = [zero_sum_inverse(x[rows][party == g] - (2 * g - 1)) for g in (0, 1)]
    names = [
        n
        for n in ("tau", "mu_new", "sigma_new", "sigma_bill", "sigma_dif", "alpha", "beta")
        if n in values
    ]
    return np.concatenate(
        [np.delete(x, rows), *held, *(np.atleast_1d(values[name]) for name in names)]
    )


def log_ratios(careers, spec, points=3, seed=0):
    model = build_model(careers, spec, careers_start(careers, "pca"))
    density, generator = Density(model), np.random.default_rng(seed)
    graph = model.graph
    # The coordinates have two numbers a sitting that nothing depends on, each N(0, 1).
    unused = [graph[name] for name in ("unused",) if name in graph.named_vars]
    how = density.how | {"on_unused_input": "ignore"}
    unused_of = graph.compile_fn(graph.replace_rvs_by_values(unused), **how)

    def unused_scores(z):
        return np.concatenate([np.zeros(0), *unused_of(density.point(z))])

    def textbook(z):
        return np.concatenate([plain(careers, density.public(z)), unused_scores(z)])

    ratios = []
    while len(ratios) < points:
        z = density.flat(model.start(generator))
        z = 0.9 * z + 0.3 * generator.normal(size=len(z))
        if not np.isfinite(density.logp(z)):  # parties that changed sides are refused
            continue
        expected = textbook_logpdf(careers, spec, density.public(z))
        expected += stats.norm.logpdf(unused_scores(z)).sum()
        expected += log_determinant(textbook, z, step=3e-4)
        ratios.append(density.logp(z) - expected)
    return np.array(ratios)


def spec_of(**settings):
    return RunSpec(model="dynamic", chamber="house", **settings)


def test_canonical_coordinates_are_the_textbook_posterior():
    assert np.ptp(log_ratios(toy_careers(), spec_of())) < 1e-6


@pytest.mark.parametrize("name", ["eps_tau", "eps_sigma"])
def test_spreads_so_small_that_differences_of_positions_are_rounding_are_refused(name):
    careers = toy_careers()
    model = build_model(careers, spec_of(), careers_start(careers, "pca"))
    density, point = Density(model), model.start(np.random.default_rng(0))

    def logp(value):
        moved = point | {name: np.full_like(point[name], value)}
        return density.logp(density.flat(moved))

    assert np.isfinite(logp(-4.0))  # 1e-7
    assert logp(-8.0) == -np.inf  # 1e-18


@pytest.mark.slow
@pytest.mark.parametrize("reference", ["2019", "2021"])
@pytest.mark.parametrize("walk", ["t4", "normal"])
def test_they_are_for_any_reference_and_other_priors(walk, reference):
    careers = toy_careers(reference=reference)
    assert np.ptp(log_ratios(careers, spec_of(walk=walk, **OTHER))) < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [{}, {"matched_bills": False}, {"chamber_changes": False}, {"reference": "2019"}],
    ids=["both", "members only", "bills only", "a reference before the Senate's first session"],
)
def test_they_are_for_both_chambers(settings):
    careers = toy_careers(both=True, **settings)
    assert len(careers.bridges.house) == (0 if settings == {"matched_bills": False} else 8)
    flags = {k: v for k, v in settings.items() if k != "reference"}
    spec = RunSpec(model="dynamic", chamber="both", **flags)
    assert np.ptp(log_ratios(careers, spec)) < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("walk", ["t4", "normal"])
def test_they_are_where_a_party_is_large_and_the_other_is_not(walk):
    careers = toy_careers(sizes=(2, NON_CENTRED), rollcalls=3)
    assert np.ptp(log_ratios(careers, spec_of(walk=walk), points=2)) < 1e-6


@pytest.mark.parametrize("likelihood", ["kernel", "gather"])
def test_the_textbook_form_is_the_density_written_with_scipy(likelihood):
    spec = spec_of(coordinates="textbook", likelihood=likelihood)
    assert np.ptp(log_ratios(toy_careers(), spec)) < 1e-6


@pytest.mark.slow
def test_the_textbook_form_of_both_chambers_is_the_density_written_with_scipy():
    spec = RunSpec(model="dynamic", chamber="both", coordinates="textbook")
    assert np.ptp(log_ratios(toy_careers(both=True), spec)) < 1e-6


def test_levels_are_sums_of_steps_away_from_the_reference():
    careers = toy_careers(reference="2021")
    assert steps_to_levels(careers).tolist() == [[1, 0], [0, 0], [0, 1]]
    assert steps_to_levels(toy_careers()).tolist() == [[1, 1], [0, 1], [0, 0]]
