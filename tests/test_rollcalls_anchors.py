import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from example_trace import example_trace, example_votes
from scipy import optimize, stats
from scipy.special import log_expit
from toy import BETA, Density, log_determinant, spec_priors, toy_model, toy_votes

from tallgrass.errors import DataError, SpecError
from tallgrass.inference.spec import SamplerSpec
from tallgrass.rollcalls.anchor_check import anchor_check, anchor_table
from tallgrass.rollcalls.anchor_text import parse_anchors
from tallgrass.rollcalls.anchors import anchors_of, preferred_stretch
from tallgrass.rollcalls.earlier import stored_spec
from tallgrass.rollcalls.filters import filter_votes
from tallgrass.rollcalls.fit_checks import fit_checks
from tallgrass.rollcalls.models import build_model
from tallgrass.rollcalls.people import person
from tallgrass.rollcalls.sources import load_votes
from tallgrass.rollcalls.spec import ModelSpec, RunSpec
from tallgrass.rollcalls.start import fitted_logits, make_start, pca_scores
from tallgrass.rollcalls.summaries import ideal_points
from tallgrass.rollcalls.trace import sample
from tallgrass.rollcalls.used_parameters import used_parameters
from tallgrass.rollcalls.votes import VoteMatrix

VOTES = toy_votes(6, 7, 12, seed=2)


def by_score(votes: VoteMatrix) -> list[str]:
    """Slugs from left to right."""
    return [votes.slugs[i] for i in np.argsort(pca_scores(votes))]


ORDER = by_score(VOTES)
NAMED = {
    "two": f"{ORDER[9]}:1.5,{ORDER[2]}:-0.5",
    "three": f"{ORDER[9]}:1,{ORDER[2]}:-1,{ORDER[10]}:1.25",
    "five": ",".join(f"{ORDER[i]}:{x}" for i, x in ((0, -2), (3, -1), (6, 0.2), (9, 1), (12, 2.5))),
}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a:1,b:-1", {"a": 1.0, "b": -1.0}),
        (" a : 1 , b:-0.5, c:2e-1", {"a": 1.0, "b": -0.5, "c": 0.2}),
        ("house:a:1,house:b:-1", {"house:a": 1.0, "house:b": -1.0}),
        ("auto", None),
        ("typical", None),
    ],
)
def test_named_anchors_are_read_from_their_text(text, named):
    assert parse_anchors(text) == named


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("best", "neither a choice nor"),
        ("a:1", "needs two"),
        ("a:1,b", "neither a choice nor"),
        ("a:1,b:nan", "neither a choice nor"),
        ("a:1,b:inf", "neither a choice nor"),
        (":1,b:-1", "neither a choice nor"),
        ("a:1,a:-1", "one legislator twice"),
        ("a:1,b:1.0", "all at one position"),
        ("", "neither a choice nor"),
    ],
)
def test_a_text_that_names_no_scale_is_refused(text, words):
    with pytest.raises(SpecError, match=words):
        RunSpec(model="flat", anchors=text)


def test_anchors_are_stored_in_one_form_and_come_back_from_json():
    spec = RunSpec(model="flat", anchors=" b:-1.0 , a:1")
    assert spec.anchors == "b:-1,a:1"
    assert RunSpec.from_json(spec.to_json()) == spec


def test_only_the_flat_model_has_anchors():
    with pytest.raises(SpecError, match="flat model only"):
        RunSpec(model="hierarchical", anchors="a:1,b:-1")


@pytest.mark.parametrize("text", ["typical", "auto"])
@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"model": "joint", "chamber": "both"},
        {"model": "dynamic", "session": "one,two"},
        {"model": "flat", "dims": 2},
        {"model": "mine.py:model"},
    ],
    ids=["hierarchical", "joint", "dynamic", "two dimensions", "of one's own"],
)
def test_models_without_anchors_take_either_word_for_the_choice(shape, text):
    spec = RunSpec(anchors=text, **shape)
    assert not spec.has_anchors
    assert stored_spec(spec.to_json()).anchors == text
    assert "anchors" not in used_parameters(spec)


def test_a_stored_run_without_the_parameter_has_the_anchors_of_its_version():
    fields = json.loads(RunSpec(model="flat").to_json())
    assert (fields.pop("anchors"), stored_spec(json.dumps(fields)).anchors) == ("typical", "auto")


def test_a_legislator_who_is_not_there_is_named_with_the_nearest():
    with pytest.raises(DataError, match=r"no such legislator.*'m0001'.*did you mean m001"):
        anchors_of(VOTES, pca_scores(VOTES), "m0001:1,m002:-1")


def test_positions_against_the_votes_are_refused():
    text = f"{ORDER[0]}:1,{ORDER[-1]}:-1"
    with pytest.raises(DataError, match="run against the votes"):
        anchors_of(VOTES, pca_scores(VOTES), text)


def test_the_automatic_choice_is_still_the_extremes_at_plus_and_minus_one():
    right, left = (
        [s for s in ORDER if VOTES.legislators[VOTES.slugs.index(s)].party == party][end]
        for party, end in (("Republican", -1), ("Democrat", 0))
    )
    found = anchors_of(VOTES, pca_scores(VOTES), "auto").named(VOTES)
    assert found == {right: 1.0, left: -1.0}


def test_typical_anchors_are_the_members_nearest_to_the_median_of_their_party():
    pca = pca_scores(VOTES)
    stretch = preferred_stretch(VOTES, pca)
    found = anchors_of(VOTES, pca, "typical").named(VOTES)
    for (slug, position), g in zip(found.items(), (1, 0), strict=True):
        members = np.flatnonzero(VOTES.party_index == g)
        distance = np.abs(pca[members] - np.median(pca[members]))
        row = members[distance.argmin()]
        assert slug == VOTES.slugs[row]
        assert position == pytest.approx(stretch * pca[row])


def with_parties(votes: VoteMatrix, names: list[str]) -> VoteMatrix:
    members = tuple(
        replace(member, party=name) for member, name in zip(votes.legislators, names, strict=True)
    )
    return VoteMatrix(votes.cells, members, votes.rollcalls, "toy", "house")


def test_parties_that_stand_at_one_place_give_way_to_the_halves_of_the_scores():
    pca = np.linspace(-1.7, 1.7, 13)
    for names, rows in (
        (["Republican", *["Democrat", "Republican"] * 6], (9, 2)),
        (["Democrat"] * 6 + ["Republican"] * 7, (9, 2)),
        (["Democrat"] * 10 + ["Republican"] * 3, (11, 4)),
    ):
        assert anchors_of(with_parties(VOTES, names), pca, "typical").rows == rows


def test_halves_that_stand_at_one_place_give_way_to_the_ends():
    pca = np.array([-3.0, *np.linspace(-0.1, 0.1, 11), 3.0])
    none = with_parties(VOTES, [""] * 13)
    assert anchors_of(none, pca, "typical").rows == (12, 0)


def test_scores_that_are_all_alike_hold_no_scale():
    with pytest.raises(DataError, match="everybody has the same PCA score"):
        anchors_of(with_parties(VOTES, [""] * 13), np.zeros(13), "typical")


@pytest.mark.parametrize("beta_square", [1.0, 0.3, 4.0])
def test_the_stretch_is_the_mode_of_its_density_under_the_priors(beta_square):
    pca = pca_scores(VOTES)
    n, n_rollcalls = VOTES.cells.shape
    _, b = fitted_logits(VOTES.cells, pca, positive=False)

    def minus_log_density(s):
        logp = stats.norm.logpdf(s * pca).sum() + n * np.log(s)
        logp += stats.norm(0, np.sqrt(beta_square)).logpdf(b / s).sum() - n_rollcalls * np.log(s)
        return -logp

    best = optimize.minimize_scalar(minus_log_density, bounds=(0.01, 50), method="bounded")
    assert preferred_stretch(VOTES, pca, beta_square) == pytest.approx(best.x, rel=1e-4)


@pytest.mark.slow
def test_typical_anchors_fit_a_real_senate_better_than_the_extremes(data_dir):
    votes = load_votes("91st_2025-2026", "senate", data_dir)
    votes, _ = filter_votes(votes, 0.025, 20, parties_only=False)
    start = make_start(votes, "pca")
    elpd, off = {}, {}
    for text in ("auto", "typical"):
        model = build_model(votes, ModelSpec(model="flat", anchors=text), start)
        sampler = SamplerSpec(draws=800, tune=800, chains=2)
        trace = sample(model, votes, sampler, start.scores).trace
        elpd[text] = fit_checks(trace, votes, seed=0).metrics["fit/elpd_loo"]
        off[text] = anchor_table(trace, votes, ideal_points(trace, votes))["off"].tolist()
    assert off == {"auto": [True, True], "typical": [False, False]}
    assert elpd["typical"] > elpd["auto"] + 40  # measured: 77


@pytest.mark.parametrize("coordinates", ["canonical", "textbook"])
@pytest.mark.parametrize("text", NAMED.values(), ids=NAMED)
def test_named_anchors_stay_where_they_are_held(text, coordinates):
    model = toy_model(VOTES, model="flat", coordinates=coordinates, anchors=text)
    density = Density(model)
    for seed in range(3):
        xi = density.public(density.flat(model.start(np.random.default_rng(seed))))["xi"]
        for slug, position in parse_anchors(text).items():
            assert xi[VOTES.slugs.index(slug)] == position  # rounding would have an R-hat
    assert model.n_parameters == len(VOTES.slugs) - text.count(":") + 2 * 12


@pytest.mark.parametrize("beta", BETA[:2])
@pytest.mark.parametrize("text", NAMED.values(), ids=NAMED)
def test_the_density_with_named_anchors_is_that_of_the_textbook(text, beta):
    spec = ModelSpec(model="flat", anchors=text, **spec_priors(beta))
    model = build_model(VOTES, spec, make_start(VOTES, "pca"))
    density, generator = Density(model), np.random.default_rng(0)
    ratios = []
    while len(ratios) < 3:
        z = 0.7 * density.flat(model.start(generator))
        z += 0.3 * generator.normal(size=len(z))
        values = density.public(z)
        xi, alpha, beta_j = values["xi"], values["alpha"], values["beta"]
        if np.abs(xi).max() > 20:  # near where two anchors meet there is no scale
            continue
        cells = VOTES.cells
        expected = log_expit(cells * (np.outer(xi, beta_j) - alpha))[cells != 0].sum()
        expected += stats.norm.logpdf(np.delete(xi, model.anchors)).sum()
        expected += stats.norm(-1.5, 2).logpdf(alpha).sum()
        prior = stats.norm(0.4, 1.3) if beta == BETA[0] else stats.lognorm(0.7, scale=np.exp(0.2))
        expected += prior.logpdf(beta_j).sum()
        expected += log_determinant(density.textbook, z, step=3e-4)
        ratios.append(density.logp(z) - expected)
    assert np.ptp(ratios) < 1e-6


def test_a_chain_starts_near_the_scores_whoever_is_held():
    start = make_start(VOTES, "pca")
    for text in NAMED.values():
        model = toy_model(VOTES, model="flat", anchors=text)
        density = Density(model)
        xi = density.public(density.flat(model.start(np.random.default_rng(0))))["xi"]
        assert np.corrcoef(xi, start.scores)[0, 1] > 0.9


def test_a_side_on_which_everybody_is_held_is_refused():
    votes = toy_votes(2, 6, 8, seed=1)
    pca = pca_scores(votes)
    rows = [*np.flatnonzero(votes.party_index == 0), *np.flatnonzero(votes.party_index == 1)[:2]]
    order = sorted(rows, key=lambda i: pca[i])
    text = ",".join(f"{votes.slugs[i]}:{k}" for k, i in enumerate(order))
    with pytest.raises(DataError, match="everybody on the left is one"):
        toy_model(votes, model="flat", anchors=text)


def held_at(position: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table of anchors, and ideal points, of a run that holds a member of xi = 0.5 there."""
    votes, truth = example_votes(20, 200, seed=4)
    truth["xi"][15] = 0.5
    rng = np.random.default_rng(1)
    yea = rng.random(votes.cells.shape) < 1 / (
        1 + np.exp(truth["alpha"] - np.outer(truth["xi"], truth["beta"]))
    )
    cells = np.where(votes.cells == 0, 0, np.where(yea, 1, -1)).astype(np.int8)
    votes = VoteMatrix(cells, votes.legislators, votes.rollcalls, "example", "house")
    trace = example_trace(votes, truth)
    xi = trace["posterior"]["xi"].to_numpy().copy()
    xi[..., 15] = position
    dims = ("chain", "draw", "legislator")
    trace["posterior"] = trace["posterior"].to_dataset().assign(xi=(dims, xi))
    anchor = np.zeros(20, np.int8)
    anchor[15] = 1
    constant = trace["constant_data"].to_dataset()
    trace["constant_data"] = constant.assign(anchor=("legislator", anchor))
    ideal = ideal_points(trace, votes)
    return anchor_table(trace, votes, ideal), ideal


def test_an_anchor_held_where_its_votes_put_it_is_no_finding():
    table, ideal = held_at(0.5)
    assert table["by_votes"].item() == pytest.approx(0.5, abs=0.4)
    assert not table["off"].item()
    assert anchor_check(table, ideal, None).status == "fits"


def test_an_anchor_held_elsewhere_is_named_with_both_positions():
    table, ideal = held_at(-2.0)
    check = anchor_check(table, ideal, None)
    assert table["off"].item()
    assert table["by_votes_low"].item() < 0.5 < table["by_votes_high"].item()
    assert check.status == "questioned"
    name = ideal.loc[ideal["anchor"] != 0, "name"].item()
    assert "Compare with anchors=typical" in check.words
    slug = str(ideal["slug"].iloc[3])
    better = anchor_check(table, ideal, None, better={slug: 1.316}).words
    assert f"typical, which holds {person(ideal.iloc[3])} at 1.32" in better
    assert "typical" not in anchor_check(table, ideal, None, "typical").words
    assert f"{name} (R-16) at -2.00, by the votes at {table['by_votes'].item():.2f}" in check.words


def test_an_anchor_held_at_zero_is_not_said_to_be_at_minus_zero():
    table, ideal = held_at(-2.0)
    words = anchor_check(table.assign(position=-1e-17), ideal, None).words
    assert " at 0.00, by the votes at" in words


def test_a_model_without_anchors_has_no_check_of_them():
    _, ideal = held_at(0.5)
    free = ideal.assign(anchor=0)
    assert anchor_check(None, free, None) is None
