"""draws=auto: sampling ends when every row of the verdict holds with a margin."""

import itertools

import numpy as np
import pytest
from example_store import default_store

import tallgrass as tg
from tallgrass.errors import SpecError
from tallgrass.inference.diagnostics import Thresholds, diagnose
from tallgrass.inference.enough import ChainSoFar, Looks, are_enough
from tallgrass.inference.spec import FEWEST_DRAWS, SamplerSpec

LIMITS = Thresholds()


def chains(n, number=4, entries=5, seed=1):
    """Independent draws of a standard normal, and energies that E-BFMI finds no fault with."""
    rng = np.random.default_rng(seed)
    return [
        ChainSoFar(rng.normal(size=(n, entries)), rng.normal(size=n), np.zeros(n))
        for _ in range(number)
    ]


def with_draws(chain, draws):
    return chain._replace(draws=draws)


def slow(chain):
    """The chain with draws that forget nothing for hundreds of steps."""
    steps = np.cumsum(chain.draws, axis=0)
    return with_draws(chain, steps / np.abs(steps).max())


def not_finite(chain):
    draws = chain.draws.copy()
    draws[3, 2] = np.nan
    return with_draws(chain, draws)


def test_independent_draws_are_enough_once_there_are_as_many_as_the_thresholds_ask():
    assert are_enough(chains(1000), LIMITS)
    assert not are_enough(chains(100), LIMITS)  # 400 in all: not above 1.25 times 400


def test_the_margin_asks_for_a_quarter_more_effective_draws_than_the_verdict():
    some = chains(1000)
    draws = np.stack([chain.draws for chain in some])
    least = min(float(tg_ess(draws, kind)) for kind in ("ess_bulk", "ess_tail"))
    assert are_enough(some, Thresholds(ess=least / 1.26))
    assert not are_enough(some, Thresholds(ess=least / 1.24))


def tg_ess(draws, kind):
    from tallgrass.inference.ranks import rank_diagnostics

    return getattr(rank_diagnostics(draws), kind).min()


@pytest.mark.parametrize(
    "worse",
    [
        slow,
        not_finite,
        lambda chain: with_draws(chain, chain.draws + 1),
        lambda chain: chain._replace(diverging=np.eye(1, len(chain.diverging))[0]),
        lambda chain: chain._replace(energy=np.cumsum(chain.energy)),
    ],
    ids=["slow", "not finite", "apart", "divergence", "E-BFMI"],
)
def test_one_chain_that_fails_a_row_of_the_verdict_is_not_enough(worse):
    first, *others = chains(1000)
    assert not are_enough([worse(first), *others], LIMITS)


def test_entries_that_do_not_vary_are_not_looked_at():
    fixed = [with_draws(chain, np.c_[chain.draws, np.ones(1000)]) for chain in chains(1000)]
    assert are_enough(fixed, LIMITS)


def test_one_chain_is_never_enough():
    assert not are_enough(chains(5000, number=1), LIMITS)


def test_looks_begin_at_the_fewest_draws_and_grow_apart():
    strict = Thresholds(ess=1e9)
    looks, looked = Looks(strict), []
    for n in range(100, 3000, 10):
        before = looks._next
        looks.enough(chains(n, number=2, entries=1), 2)
        if looks._next != before:
            looked.append(n)
    assert looked[0] == FEWEST_DRAWS
    assert all(b >= 1.25 * a for a, b in itertools.pairwise(looked))
    assert len(looked) == 8


def test_a_chain_that_has_no_draw_yet_is_waited_for():
    assert not Looks(LIMITS).enough(chains(1000, number=3), 4)


def test_the_word_is_taken_in_any_case_and_a_number_stays_one():
    assert SamplerSpec(draws="AUTO").draws == "auto"
    assert SamplerSpec(draws="auto", draws_max=3000).most_draws == 3000
    assert SamplerSpec(draws="700").most_draws == 700


@pytest.mark.parametrize("value", ["automatic", 3, True, 1.5, None])
def test_what_is_neither_a_number_nor_the_word_is_one_error(value):
    with pytest.raises(SpecError, match="bad value for draws"):
        SamplerSpec(draws=value)


def test_samplers_whose_draws_are_not_looked_at_refuse_it():
    with pytest.raises(SpecError, match="sampler=nutpie"):
        SamplerSpec(draws="auto", sampler="pymc")


@pytest.fixture
def quick(tmp_path):
    with default_store(tmp_path):
        settings = tg.Settings(progress="none", state_dir=tmp_path / "state")
        spec = {"session": "simulated", "chains": 2, "fit_checks": False, "baseline": "none"}
        yield spec, settings


def test_a_run_ends_when_its_draws_are_enough_with_every_chain(quick):
    spec, settings = quick
    easy = settings.model_copy(update={"threshold_rhat": 1.1, "threshold_ess": 50.0})
    result = tg.fit(tg.RunSpec(**spec, draws="auto", draws_max=1_000_000), easy)
    sizes = result.trace["posterior"].sizes
    assert sizes["chain"] == 2
    assert FEWEST_DRAWS <= sizes["draw"] < 100_000
    assert diagnose(result.trace).worst("ess_bulk") > 50
    [row] = tg.runs().to_dict("records")
    assert (row["status"], row["draws_max"]) == ("FINISHED", 1_000_000)
    details = tg.load_trace(result.run_id)["posterior"].sizes
    assert details["draw"] == sizes["draw"]
    assert tg.rerun_spec(result.run_id).draws == "auto"


def test_a_run_that_is_never_enough_ends_at_the_most_draws(quick):
    spec, settings = quick
    strict = settings.model_copy(update={"threshold_ess": 1e6})
    result = tg.fit(tg.RunSpec(**spec, draws="auto", draws_max=800), strict)
    assert result.trace["posterior"].sizes["draw"] == 800
