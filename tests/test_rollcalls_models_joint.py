"""The joint models are the densities of their definitions, by the Jacobian of the whole map."""

import numpy as np
import pymc as pm
import pytest
from scipy import stats
from scipy.special import log_expit
from test_rollcalls_models_exact import prior_logpdf
from toy import BETA, Density, log_determinant
from toy_chambers import toy_chambers, usual_chambers

from tallgrass.inference.compiled import compile_model
from tallgrass.inference.diagnostics import Thresholds, diagnose
from tallgrass.inference.spec import SamplerSpec
from tallgrass.inference.verdict import judge
from tallgrass.rollcalls.audit import audit
from tallgrass.rollcalls.chambers import join_chambers, joint_start
from tallgrass.rollcalls.filters import filter_votes
from tallgrass.rollcalls.models import build_model
from tallgrass.rollcalls.models.base import vote_coordinates
from tallgrass.rollcalls.models.joint_members import group_index, member_start, members
from tallgrass.rollcalls.sources import load_votes
from tallgrass.rollcalls.spec import ModelSpec
from tallgrass.rollcalls.trace import sample

LEVELS = ("mu_global", "mu_chamber", "mu_group", "sigma_chamber", "sigma_party", "sigma_within")
SMALL, LARGE = {}, {"house": (19, 20), "senate": (2, 1)}


def model_of(joint, **spec):
    return build_model(joint, ModelSpec(model="joint", **spec), joint_start(joint, "pca"))


def own_bills(joint):
    """Columns of the combined matrix, a matched bill once."""
    twice = {match.senate for match in joint.matches if match.status == "matched"}
    return [j for j, name in enumerate(joint.combined.vote_ids) if name not in twice]


def votes_logpdf(joint, values):
    cells = joint.combined.cells
    logits = np.outer(values["xi"], values["beta"]) - values["alpha"]
    return log_expit(cells * logits)[cells != 0].sum()


def seed_logpdf(joint, spec, values):
    """models.md written with SciPy, the lower group mean of a chamber the Democrats'."""
    priors, bills, group = spec.priors, own_bills(joint), group_index(joint)
    logp = votes_logpdf(joint, values)
    for name in ("alpha", "beta"):
        logp += prior_logpdf(priors[name], values[name][bills])
    logp += stats.norm.logpdf(values["mu_global"], 0, 2)
    logp += stats.halfnorm.logpdf([values["sigma_chamber"], values["sigma_party"]]).sum()
    logp += stats.norm.logpdf(
        values["mu_chamber"], values["mu_global"], values["sigma_chamber"]
    ).sum()
    mu = values["mu_group"]
    assert mu[0] < mu[1]
    assert mu[2] < mu[3]
    logp += stats.norm.logpdf(mu, np.repeat(values["mu_chamber"], 2), values["sigma_party"]).sum()
    scale = np.where(joint.group_sizes < 20, 0.5, 1.0)
    logp += stats.halfnorm.logpdf(values["sigma_within"], scale=scale).sum()
    return logp + stats.norm.logpdf(values["xi"], mu[group], values["sigma_within"][group]).sum()


def anchored_logpdf(joint, spec, values):
    """The density of the anchored form over what it names: v, tau and the bills' logits."""
    delta, k, group = values["delta"], values["k"], group_index(joint)
    senate = joint.chamber_index == 1
    v = np.where(senate, (values["xi"] - delta) / k, values["xi"])
    tau = values["sigma_within"] / np.array([1, 1, k, k])
    logp = votes_logpdf(joint, values)
    for g, n in enumerate(joint.group_sizes):
        deviations = v[group == g] - v[group == g].mean()
        logp -= (n - 1) * np.log(tau[g]) + np.sum(deviations**2) / (2 * tau[g] ** 2)
    logp += stats.halfnorm.logpdf(tau).sum() + stats.norm.logpdf(delta)
    logp += stats.norm.logpdf(np.log(k), 0, 0.5)
    logp += stats.halfnorm.logpdf(values["sigma_bill"], scale=5)
    alpha, beta = (
        {c: values[name][joint.columns[c]] for c in ("house", "senate")}
        for name in ("alpha", "beta")
    )
    house, matched = joint.matched
    at = {"house": (-1.0, 1.0), "senate": (delta - k, delta + k)}
    for chamber in ("house", "senate"):
        for centre in at[chamber]:
            logits = beta[chamber] * centre - alpha[chamber]
            if chamber == "senate":
                expected = beta["house"][house] * centre - alpha["house"][house]
                if spec.dif:
                    deviations = logits[matched] - expected
                    logp += stats.norm.logpdf(deviations, 0, values["sigma_dif"]).sum()
                else:
                    np.testing.assert_allclose(logits[matched], expected, atol=1e-10)
                logits = np.delete(logits, matched)
            logp += stats.norm.logpdf(logits, 0, values["sigma_bill"]).sum()
    return logp + (stats.halfnorm.logpdf(values["sigma_dif"], scale=2) if spec.dif else 0.0)


def seed_map(joint, values):
    bills = own_bills(joint)
    parts = [values["xi"], *(values[name] for name in LEVELS)]
    return np.concatenate(
        [np.ravel(x) for x in parts] + [values[n][bills] for n in ("alpha", "beta")]
    )


def anchored_map(joint, spec, values):
    """Deviations in the coordinates that are free, tau, link, spreads, logits of every bill."""
    delta, k = values["delta"], values["k"]
    senate = joint.chamber_index == 1
    v = np.where(senate, (values["xi"] - delta) / k, values["xi"])
    group = group_index(joint)
    free = np.concatenate([np.flatnonzero(group == g)[:-1] for g in range(4)])
    bills = np.arange(len(joint.combined.vote_ids)) if spec.dif else own_bills(joint)
    of_senate = np.isin(bills, joint.columns["senate"])
    a, b = values["alpha"][bills], values["beta"][bills]
    centres = [np.where(of_senate, delta + side * k, side) for side in (-1, 1)]
    spreads = [values["sigma_bill"], *([values["sigma_dif"]] if spec.dif else [])]
    parts = [v[free], values["sigma_within"] / np.array([1, 1, k, k]), delta, np.log(k), spreads]
    return np.concatenate([np.ravel(x) for x in parts] + [b * c - a for c in centres])


def log_ratios(joint, spec, logpdf, textbook, points=2):
    """Log-density of the model less the definition's and the log-Jacobian of the whole map."""
    density = Density(build_model(joint, spec, joint_start(joint, "pca")))
    generator, ratios = np.random.default_rng(0), []
    for _ in range(points):
        z = 0.7 * density.flat(density.model.start(generator))
        z += 0.5 * generator.normal(size=len(z))
        expected = logpdf(joint, spec, density.public(z))
        expected += log_determinant(lambda y: textbook(density.public(y)), z, step=3e-4)
        ratios.append(density.logp(z) - expected)
    return np.array(ratios)


SEED_CASES = [
    ("canonical", BETA[0], SMALL),
    ("canonical", BETA[1], LARGE),
    ("textbook", BETA[0], SMALL),
    *(
        pytest.param(coordinates, beta, sizes, marks=pytest.mark.slow)
        for coordinates in ("canonical", "textbook")
        for beta in BETA
        for sizes in (SMALL, LARGE)
    ),
]


@pytest.mark.parametrize(
    ("spec", "trajectory"),
    [
        ({}, "normal"),
        ({"joint_form": "seed"}, "normal"),
        ({"joint_form": "seed", "coordinates": "textbook"}, "leapfrog"),
    ],
)
def test_every_canonical_form_is_sampled_with_normal_trajectories(spec, trajectory):
    assert model_of(toy_chambers(), **spec).trajectory == trajectory


@pytest.mark.parametrize(("coordinates", "beta", "sizes"), SEED_CASES)
def test_both_coordinates_of_the_seed_form_are_the_density_written_with_scipy(
    coordinates, beta, sizes
):
    spec = ModelSpec(model="joint", joint_form="seed", beta_prior=beta, coordinates=coordinates)
    joint = toy_chambers(**sizes)
    ratios = log_ratios(joint, spec, seed_logpdf, lambda values: seed_map(joint, values))
    assert np.ptp(ratios) < 1e-6


@pytest.mark.parametrize("sizes", [SMALL, LARGE])
@pytest.mark.parametrize("dif", [True, False])
def test_the_anchored_form_is_the_density_written_with_scipy(dif, sizes):
    spec, joint = ModelSpec(model="joint", dif=dif), toy_chambers(**sizes)
    ratios = log_ratios(joint, spec, anchored_logpdf, lambda x: anchored_map(joint, spec, x))
    assert np.ptp(ratios) < 1e-6


def test_the_seed_form_by_the_kernel_is_the_one_by_gather():
    joint = toy_chambers()
    kernel, gather = (
        Density(model_of(joint, joint_form="seed", coordinates="textbook", likelihood=likelihood))
        for likelihood in ("kernel", "gather")
    )
    z = kernel.flat(kernel.model.start(np.random.default_rng(3)))
    assert kernel.logp(z) == pytest.approx(gather.logp(z), abs=1e-9)


def test_group_means_of_the_members_are_those_that_delta_and_k_state():
    joint = toy_chambers()
    for spec in ({}, {"dif": False}, {"joint_form": "seed"}):
        density = Density(model_of(joint, **spec))
        values = density.public(density.flat(density.model.start(np.random.default_rng(1))))
        group = group_index(joint)
        means = np.array([values["xi"][group == g].mean() for g in range(4)])
        centre, half = means[:2].mean(), (means[1] - means[0]) / 2
        delta, k = (means[2:].mean() - centre) / half, (means[3] - means[2]) / 2 / half
        assert float(delta) == pytest.approx(float(values["delta"]), abs=1e-10)
        assert float(k) == pytest.approx(float(values["k"]), abs=1e-10)


@pytest.mark.parametrize("sizes", [SMALL, LARGE])
def test_the_members_start_at_the_positions_that_their_bills_are_fitted_to(sizes):
    joint = toy_chambers(**sizes)
    point, v = member_start(joint, joint_start(joint, "pca"), np.random.default_rng(0))
    with pm.Model(coords=vote_coordinates(joint.combined)) as graph:
        people = members(joint)
    found = people.v.eval({graph[name]: value for name, value in point.items()})
    np.testing.assert_allclose(found, v, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("form", [{}, {"dif": "false"}, {"joint_form": "seed"}])
def test_other_chambers_run_the_compiled_code_that_is_there(form):
    compile_model(model_of(usual_chambers(seed=5), **form))
    others = model_of(toy_chambers((22, 30), (1, 9), (14, 11), 5), **form)
    assert compile_model(others).from_cache


def test_a_group_of_few_members_and_few_matched_bills_are_warned_of():
    warnings = model_of(toy_chambers()).warnings
    assert any("senate Democrat" in text for text in warnings)
    assert any("2 matched bills" in text for text in warnings)


def test_positive_discriminations_are_warned_of():
    warnings = model_of(toy_chambers(), joint_form="seed", beta_prior="lognormal:0,1").warnings
    assert any("fit the wrong model" in text for text in warnings)


@pytest.mark.slow
def test_the_default_form_converges_on_real_votes(data_dir):
    session = str(data_dir / "kansas" / "88th_2019-2020")
    house, senate = (
        filter_votes(load_votes(session, name), 0.025, 20, True)[0] for name in ("house", "senate")
    )
    joint = join_chambers(house, senate)
    start = joint_start(joint, "pca")
    model = build_model(joint, ModelSpec(model="joint"), start)
    trace = sample(model, joint.combined, SamplerSpec(seed=2), start.scores).trace
    verdict = judge(
        diagnose(trace, reflected=audit(trace, start.pca, joint.chamber_index)), Thresholds()
    )
    assert verdict.status == "pass", verdict.reasons
