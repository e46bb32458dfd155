import numpy as np
import pytest
from toy import BETA, Density, spec_priors, toy_model, toy_votes

from tallgrass.errors import DataError
from tallgrass.rollcalls.models import MODELS, build_model
from tallgrass.rollcalls.spec import ModelSpec
from tallgrass.rollcalls.start import make_start
from tallgrass.rollcalls.votes import VoteMatrix

# What users see.


@pytest.mark.parametrize("coordinates", ["canonical", "textbook"])
def test_public_names_and_dimensions_are_those_of_the_textbook(coordinates):
    votes = toy_votes(3, 4, 5)
    for name, public in {
        "flat": {"xi": 7, "alpha": 5, "beta": 5},
        "hierarchical": {"xi": 7, "mu_party": 2, "sigma_within": 2, "alpha": 5, "beta": 5},
    }.items():
        model = toy_model(votes, model=name, coordinates=coordinates)
        density = Density(model)
        values = density.public(density.flat(model.start(np.random.default_rng(1))))
        assert {key: len(x) for key, x in values.items()} == public
        dims = {key: model.graph.named_vars_to_dims[key] for key in model.public}
        assert dims == {
            key: ("rollcall",) if size == 5 else ("party",) if size == 2 else ("legislator",)
            for key, size in public.items()
        }
        assert tuple(model.graph.coords["legislator"]) == votes.slugs
        assert tuple(model.graph.coords["rollcall"]) == votes.vote_ids
        assert model.n_parameters == (7 - 2 if name == "flat" else 7 + 4) + 2 * 5


@pytest.mark.parametrize("coordinates", ["canonical", "textbook"])
def test_the_anchors_at_the_ends_stay_at_plus_and_minus_one_everywhere(coordinates):
    votes = toy_votes(4, 5, 6, seed=3)
    model = toy_model(votes, model="flat", anchors="auto", coordinates=coordinates)
    right, left = model.anchors
    assert [votes.legislators[i].party for i in (right, left)] == ["Republican", "Democrat"]
    density = Density(model)
    for seed in range(5):
        xi = density.public(density.flat(model.start(np.random.default_rng(seed))))["xi"]
        assert (xi[right], xi[left]) == (pytest.approx(1, abs=1e-12), pytest.approx(-1, abs=1e-12))


def test_the_hierarchical_model_has_no_anchors():
    assert toy_model(toy_votes(3, 4, 5), model="hierarchical").anchors is None


def test_independents_stay_in_the_flat_model():
    votes = toy_votes(3, 4, 12, independents=3)
    for coordinates in ("canonical", "textbook"):
        model = toy_model(votes, model="flat", coordinates=coordinates)
        assert len(model.graph.coords["legislator"]) == 10
        assert all(votes.legislators[i].party != "Independent" for i in model.anchors)


@pytest.mark.parametrize("coordinates", ["canonical", "textbook"])
def test_parties_of_fewer_than_fifteen_are_warned_of(coordinates):
    def warnings(*sizes):
        spec = {"model": "hierarchical", "coordinates": coordinates}
        return toy_model(toy_votes(*sizes, 6), **spec).warnings

    assert warnings(15, 15) == ()
    (only,) = warnings(14, 15)
    assert "Democrat party has 14 members" in only
    assert len(warnings(3, 4)) == 2


def test_the_flat_model_warns_of_nothing():
    assert toy_model(toy_votes(3, 4, 5), model="flat").warnings == ()


# What a model refuses.


def with_party(votes, row, party):
    members = list(votes.legislators)
    members[row] = type(members[row])(members[row].slug, members[row].name, party)
    return VoteMatrix(votes.cells, tuple(members), votes.rollcalls, votes.session, votes.chamber)


@pytest.mark.parametrize("coordinates", ["canonical", "textbook"])
@pytest.mark.parametrize(
    ("votes", "words"),
    [
        (with_party(toy_votes(3, 4, 9), 2, ""), "without a party.*m002"),
        (toy_votes(0, 6, 9), "no Democrat"),
        (toy_votes(6, 0, 9), "no Republican"),
        (toy_votes(3, 4, 9, independents=2), "neither"),
    ],
    ids=["no party", "no Democrat", "no Republican", "independents"],
)
def test_the_hierarchical_model_refuses_votes_it_cannot_place(votes, words, coordinates):
    with pytest.raises(DataError, match=words):
        toy_model(votes, model="hierarchical", coordinates=coordinates)


def test_the_flat_model_refuses_votes_without_anchors():
    votes = toy_votes(3, 4, 9, seed=1, missing=0.0)
    cells = votes.cells.copy()
    cells[votes.party_index == 0, 4:] = 0  # every Democrat left after four of nine votes
    absent = VoteMatrix(cells, votes.legislators, votes.rollcalls, "toy", "house")
    with pytest.raises(DataError, match="anchor"):
        toy_model(absent, model="flat")


# Starts.

FORMS = [
    (model, coordinates, beta)
    for model in MODELS
    for coordinates in ("canonical", "textbook")
    for beta in BETA
]


@pytest.mark.parametrize(("model", "coordinates", "beta"), FORMS)
def test_every_chain_has_a_start_of_finite_density(model, coordinates, beta):
    votes = toy_votes(5, 26, 20, seed=4)
    from_pca, from_none = (
        toy_model(votes, init, model=model, coordinates=coordinates, **spec_priors(beta))
        for init in ("pca", "none")
    )
    density = Density(from_pca)  # the start is no part of the graph
    shapes = from_pca.graph.eval_rv_shapes()
    starts = [
        built.start(np.random.default_rng(seed))
        for built in (from_pca, from_none)
        for seed in range(20)
    ]
    for point in starts:
        assert set(point) == {value.name for value in from_pca.graph.value_vars}
        assert {name: np.shape(x) for name, x in point.items()} == {n: shapes[n] for n in point}
        assert np.isfinite(density.logp(density.flat(point)))


@pytest.mark.parametrize("init", ["pca", "none"])
@pytest.mark.parametrize("coordinates", ["canonical", "textbook"])
@pytest.mark.parametrize("model", ["flat", "hierarchical"])
def test_chains_start_apart_and_the_same_generator_gives_the_same_start(model, coordinates, init):
    built = toy_model(toy_votes(9, 14, 20), init, model=model, coordinates=coordinates)
    density = Density(built)
    first, again, other = (
        density.flat(built.start(np.random.default_rng(seed))) for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert np.mean(first != other) > 0.4  # textbook positions all start at their scores


@pytest.mark.parametrize("beta", BETA[:2])
@pytest.mark.parametrize("coordinates", ["canonical", "textbook"])
@pytest.mark.parametrize("model", ["flat", "hierarchical"])
def test_chains_start_where_the_scores_say(model, coordinates, beta):
    votes = toy_votes(9, 14, 40, seed=5)
    start = make_start(votes, "pca")
    built = toy_model(votes, model=model, coordinates=coordinates, beta_prior=beta)
    density = Density(built)
    for seed in range(10):
        xi = density.public(density.flat(built.start(np.random.default_rng(seed))))["xi"]
        assert np.corrcoef(xi, start.scores)[0, 1] > 0.9


def test_the_dummies_of_large_parties_start_at_their_mean():
    built = toy_model(toy_votes(25, 30, 40, seed=5))
    density = Density(built)
    for seed in range(5):
        z = density.flat(built.start(np.random.default_rng(seed)))
        np.testing.assert_allclose(density.dummies(z), 0, atol=1e-9)


def test_a_start_from_a_past_run_begins_at_its_positions():
    votes = toy_votes(9, 14, 40, seed=5)
    pca = make_start(votes, "pca").scores
    past = dict(zip(votes.slugs, np.sign(pca) * np.abs(pca) ** 0.5, strict=True))
    start = make_start(votes, "run:" + "0" * 32, past)
    built = build_model(votes, ModelSpec(model="hierarchical"), start)
    density = Density(built)
    positions = [
        density.public(density.flat(built.start(np.random.default_rng(seed))))["xi"]
        for seed in range(40)
    ]
    mean = np.mean([(xi - xi.mean()) / xi.std() for xi in positions], axis=0)
    assert np.corrcoef(mean, start.scores)[0, 1] > np.corrcoef(mean, pca)[0, 1]
    assert np.corrcoef(mean, start.scores)[0, 1] > 0.99
