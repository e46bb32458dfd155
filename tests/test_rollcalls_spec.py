import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tallgrass as tg
from tallgrass.errors import SpecError
from tallgrass.inference.priors import DISTRIBUTIONS, PriorSpec
from tallgrass.inference.spec import SamplerSpec
from tallgrass.rollcalls.spec import ModelSpec, RunSpec, prior_record

finite = st.floats(allow_nan=False, allow_infinity=False)
run_ids = st.text("0123456789abcdef", min_size=32, max_size=32)


@st.composite
def priors(draw, distributions=tuple(DISTRIBUTIONS)):
    distribution = draw(st.sampled_from(distributions))
    most = 100 if distribution.startswith("lognormal") else 1e6
    locations = [draw(st.floats(-most, most)) for _ in DISTRIBUTIONS[distribution][1:]]
    return PriorSpec(distribution, (*locations, draw(st.floats(1e-6, most))))


real = priors(("normal",)).map(lambda prior: prior.text)


@st.composite
def anchors(draw):
    slugs = st.text("abc_:1", min_size=1)
    named = draw(st.dictionaries(slugs, finite, min_size=2, max_size=4))
    if len(set(named.values())) == 1:
        return draw(st.sampled_from(["typical", "auto"]))
    return ",".join(f"{slug}:{position}" for slug, position in named.items())


@st.composite
def run_specs(draw):
    coordinates = draw(st.sampled_from(["canonical", "textbook"]))
    model = draw(st.sampled_from(["flat", "hierarchical"]))
    sampler = draw(st.sampled_from(["nutpie", "pymc"]))
    adaptations = ["diag", "draw_diag", "low_rank", "flow"] if sampler == "nutpie" else ["diag"]
    trajectories = ["auto", "leapfrog", *(["normal"] if sampler == "nutpie" else [])]
    return RunSpec(
        session=draw(st.text(min_size=1)),
        chamber=draw(st.sampled_from(["senate", "house"])),
        model=model,
        anchors=draw(anchors() if model == "flat" else st.sampled_from(["typical", "auto"])),
        coordinates=coordinates,
        likelihood=draw(
            st.sampled_from(["kernel", "gather"] if coordinates == "textbook" else ["kernel"])
        ),
        beta_prior=draw(priors()).text,
        alpha_prior=draw(real),
        mu_prior=draw(real),
        sigma_prior=draw(priors(("halfnormal", "lognormal", "lognormal_reparam"))).text,
        sampler=sampler,
        adaptation=draw(st.sampled_from(adaptations)),
        trajectory=draw(st.sampled_from(trajectories)),
        draws=draw(st.integers(4, 1_000_000)),
        tune=draw(st.integers(10, 1_000_000)),
        chains=draw(st.integers(1, 64)),
        seed=draw(st.integers(0, 2**32 - 1)),
        target_accept=draw(st.floats(0, 1, exclude_min=True, exclude_max=True)),
        init=draw(st.sampled_from(["pca", "none"]) | run_ids.map("run:{}".format)),
        minority_threshold=draw(st.floats(0, 0.5, exclude_max=True)),
        min_votes=draw(st.integers(0, 10_000)),
        baseline=draw(st.sampled_from(["auto", "none"]) | run_ids),
        strict=draw(st.booleans()),
        fit_checks=draw(st.booleans()),
    )


@given(priors())
def test_a_prior_comes_back_from_its_text(prior):
    assert PriorSpec.parse(prior.text) == prior


@given(priors())
def test_the_text_of_a_prior_passes_through_a_command_line_unquoted(prior):
    assert not set(prior.text) & set(" '\"[](){}$`\\;&|<>*?!~#")


@given(run_specs())
def test_a_run_comes_back_from_its_json(spec):
    again = RunSpec.from_json(spec.to_json())
    assert again == spec
    assert again.sha256 == spec.sha256


@given(run_specs())
def test_a_run_holds_its_model_and_its_sampler(spec):
    fields = spec.model_dump()
    assert fields.items() >= spec.model_spec.model_dump().items()
    assert fields.items() >= spec.sampler_spec.model_dump().items()


@given(run_specs(), run_specs())
def test_hashes_are_equal_where_runs_are(one, two):
    assert (one.sha256 == two.sha256) == (one == two)


@pytest.mark.parametrize(
    ("text", "prior", "shown"),
    [
        ("normal:0,1", PriorSpec("normal", (0, 1)), "normal:0,1"),
        (" Normal:0, 5 ", PriorSpec("normal", (0, 5)), "normal:0,5"),
        ("lognormal:0,0.5", PriorSpec("lognormal", (0, 0.5)), "lognormal:0,0.5"),
        ("lognormal_reparam:-1,1e-3", PriorSpec("lognormal_reparam", (-1, 0.001)), None),
        ("halfnormal:1", PriorSpec("halfnormal", (1,)), "halfnormal:1"),
    ],
)
def test_priors_are_read_from_text(text, prior, shown):
    assert PriorSpec.parse(text) == prior
    assert PriorSpec.parse(text).text == (shown or "lognormal_reparam:-1,0.001")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cauchy:0,1", "unknown prior distribution: received 'cauchy'"),
        ("norml:0,1", "did you mean normal"),
        ("normal:0", "wrong number of parameters for a normal prior: received 'normal:0'"),
        ("normal", "wrong number of parameters"),
        ("halfnormal:0,1", "write halfnormal:sigma"),
        ("normal:0,one", "not a number: received 'normal:0,one'"),
        ("normal:0,", "not a number"),
        ("normal:nan,1", "not finite"),
        ("normal:0,inf", "not finite"),
        ("normal:0,1e-320", "out of bounds"),
        ("normal:0,1e200", "out of bounds"),
        ("normal:1e308,1", "out of bounds"),
        ("halfnormal:1e308", "out of bounds"),
        ("lognormal:0,101", "out of bounds"),
        ("normal:0,0", "not positive"),
        ("halfnormal:-1", "not positive"),
        ("", "unknown prior distribution"),
    ],
)
def test_a_bad_prior_is_an_error(text, message):
    with pytest.raises(SpecError, match=message):
        PriorSpec.parse(text)


@given(priors(), st.floats(0.01, 100))
def test_a_scaled_prior_keeps_its_kind_and_its_shape(prior, factor):
    # A scaled prior has the bounds of every prior: |mu| of a lognormal is at most 100.
    value = prior.mu if abs(prior.mu) < 90 and 1e-3 < prior.sigma < 100 else None
    if value is None:
        return
    scaled = prior.scaled(factor)
    assert scaled.distribution == prior.distribution
    if prior.distribution.startswith("lognormal"):
        assert scaled.sigma == prior.sigma
        assert math.exp(scaled.mu) == pytest.approx(factor * math.exp(prior.mu))
    else:
        assert scaled.sigma == pytest.approx(factor * prior.sigma)
        assert scaled.mu == pytest.approx(factor * prior.mu)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_the_density_of_a_prior_is_the_named_one(distribution):
    import numpy as np
    import pymc as pm
    from scipy import stats

    prior = PriorSpec(distribution, (0.3, 0.7)[-len(DISTRIBUTIONS[distribution]) :])
    with pm.Model() as model:
        variable = prior.variable("x", shape=3)
    draws = pm.draw(variable, 2_000, random_seed=1).ravel()
    reference = {
        "normal": stats.norm(0.3, 0.7),
        "halfnormal": stats.halfnorm(scale=0.7),
    }.get(distribution, stats.lognorm(0.7, scale=math.exp(0.3)))
    assert stats.kstest(draws, reference.cdf).pvalue > 1e-4
    assert (draws > 0).all() == prior.positive
    if distribution == "lognormal_reparam":
        assert [v.name for v in model.free_RVs] == ["log_x"]
        assert [v.name for v in model.deterministics] == ["x"]
    assert np.isfinite(draws).all()


def test_a_prior_in_words_names_its_numbers():
    assert PriorSpec.parse("halfnormal:2").describe() == "HalfNormal with scale 2"
    assert PriorSpec.parse("normal:0,5").describe() == (
        "Normal with mean 0 and standard deviation 5"
    )
    assert "logarithm has mean 0" in PriorSpec.parse("lognormal:0,1").describe()
    assert "exp of a Normal" in PriorSpec.parse("lognormal_reparam:0,1").describe()


def test_the_defaults_are_those_of_earlier_results():
    spec = RunSpec()
    assert (spec.draws, spec.tune, spec.chains, spec.seed) == (2000, 500, 4, 42)
    assert (spec.minority_threshold, spec.min_votes) == (0.025, 20)
    assert (spec.beta_prior, spec.alpha_prior) == ("normal:0,1", "normal:0,5")
    assert (spec.mu_prior, spec.sigma_prior) == ("normal:0,2", "halfnormal:1")
    assert (spec.session, spec.chamber, spec.init) == ("sample", "senate", "pca")


def test_priors_are_kept_in_their_plain_text_form():
    assert RunSpec(beta_prior="LogNormal:0.0, 0.50").beta_prior == "lognormal:0,0.5"
    assert RunSpec(beta_prior="normal:0.0,1.0").sha256 == RunSpec(beta_prior="normal:0,1").sha256


def test_a_flat_model_has_no_party_priors():
    assert set(ModelSpec(model="flat").priors) == {"alpha", "beta"}
    assert set(ModelSpec(model="hierarchical").priors) == {"alpha", "beta", "mu", "sigma"}


def test_the_prior_record_says_each_prior_in_numbers_and_words():
    record = prior_record(ModelSpec())
    assert record["sigma"]["text"] == "halfnormal:1"
    assert record["alpha"]["parameters"] == (0.0, 5.0)
    assert record["mu"]["description"].startswith("Normal with mean 0")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"draws": "abc"}, "bad value for draws"),
        ({"chains": 0}, "bad value for chains"),
        ({"chains": 65}, "bad value for chains"),
        ({"tune": 9}, "bad value for tune"),
        ({"seed": -1}, "bad value for seed"),
        ({"target_accept": 1.0}, "bad value for target_accept"),
        ({"target_accept": math.nan}, "bad value for target_accept"),
        ({"chamber": "sennate"}, "bad value for chamber .*received 'sennate'"),
        ({"model": "joint2"}, "bad value for model"),
        ({"sampler": "stan"}, "bad value for sampler"),
        ({"session": ""}, "bad value for session"),
        ({"minority_threshold": 0.5}, "bad value for minority_threshold"),
        ({"min_votes": -1}, "bad value for min_votes"),
        ({"beta_prior": "normal:0"}, "beta_prior: wrong number of parameters"),
        ({"beta_prior": "cauchy:0,1"}, "beta_prior: unknown prior distribution"),
        ({"alpha_prior": "halfnormal:1"}, "alpha_prior: a prior on the whole real line"),
        ({"mu_prior": "lognormal:0,1"}, "mu_prior: a prior on the whole real line"),
        ({"sigma_prior": "normal:0,1"}, "sigma_prior: a prior on positive values"),
        ({"init": "run:nope"}, "init: unknown start: received 'run:nope'"),
        ({"init": "a" * 32}, "unknown start"),
        ({"init": "pcarun:" + "a" * 32}, "unknown start"),
        ({"baseline": "newest"}, "baseline: unknown run: received 'newest'"),
        ({"likelihood": "gather"}, "likelihood gather goes with textbook"),
        ({"sampler": "pymc", "adaptation": "flow"}, "adaptation is a setting of nutpie"),
        ({"sampler": "pymc", "trajectory": "normal"}, "trajectory=normal is nutpie's"),
        ({"colour": "red"}, "unknown parameter: received 'colour'"),
    ],
)
def test_a_bad_parameter_is_an_error_that_names_it(parameters, message):
    with pytest.raises(SpecError, match=message):
        RunSpec(**parameters)


@pytest.mark.parametrize("text", ["", "not json", "[]", '{"draws": "abc"}', '{"colour": 1}'])
def test_json_that_is_no_run_is_an_error(text):
    with pytest.raises(SpecError):
        RunSpec.from_json(text)


def test_a_spec_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        SamplerSpec().draws = 5


def test_a_word_of_a_choice_may_be_in_capitals_and_another_word_is_refused():
    spec = RunSpec(chamber="House", sampler="NUTPIE")
    assert (spec.chamber, spec.sampler) == ("house", "nutpie")
    assert spec.sha256 == RunSpec(chamber="house").sha256
    with pytest.raises(SpecError, match="chamber"):
        RunSpec(chamber="Hous")


@pytest.mark.parametrize("name", ["seed", "draws", "target_accept"])
def test_true_is_no_number(name):
    with pytest.raises(SpecError, match=f"{name} .a number is needed.*True"):
        RunSpec(**{name: True})


@pytest.mark.parametrize(("text", "draws"), [("1_000", 1000), ("+500", 500)])
def test_numbers_are_read_as_python_reads_them(text, draws):
    assert RunSpec(draws=text).draws == draws


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: tg.RunSpec(chamber="hose"), "received 'hose'. did you mean house?"),
        (lambda: tg.RunSpec(chamberr="house"), "unknown parameter: received 'chamberr'. did you"),
        (lambda: tg.RunSpec(draws=2), "bad value for draws .* received 2"),
        (lambda: tg.SamplerSpec(draws=1.5), "bad value for draws"),
        (lambda: tg.CalibrationSpec(engine="mnl"), "did you mean mml?"),
        (lambda: tg.Settings(threshold_rhat=0), "bad value for threshold_rhat"),
        (lambda: tg.RunSpec.from_json('{"draws": "x"}'), "bad value for draws"),
    ],
    ids=["choice", "name", "bound", "kind", "calibration", "setting", "json"],
)
def test_a_wrong_parameter_in_python_is_told_as_on_the_command_line(make, words):
    with pytest.raises(SpecError, match=words) as told:
        make()
    assert "\n" not in str(told.value)
    assert told.value.__suppress_context__  # no page of pydantic's above it
