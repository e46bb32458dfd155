"""Drift of anchors, agreement of methods, and publication to real tables."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from item_data import simulated_items
from postgres import engine_of

from tallgrass.errors import DataError
from tallgrass.inference.priors import PriorSpec
from tallgrass.inference.spec import SamplerSpec
from tallgrass.items.agreement import agreement
from tallgrass.items.drift import drift_in_words, drift_table, drifted_anchors, undrifted
from tallgrass.items.engines import calibrate_gibbs, calibrate_map, calibrate_mml
from tallgrass.items.priors import PriorChoice, item_priors
from tallgrass.items.publication import Target, publish
from tallgrass.items.responses import Anchors, Responses
from tallgrass.items.tables import Calibrated, of_estimates, of_trace

ROOT = Path(__file__).parent.parent


def anchored(b_change, a_change=0.0, n_users=6000, seed=1, draws=None):
    """One item and its responses; abilities are known to within 0.3; the anchor was at (1, 0)."""
    generator = np.random.default_rng(seed)
    truth = generator.normal(size=n_users)
    a, b = 1.0 + a_change, b_change
    correct = (generator.random(n_users) < 1 / (1 + np.exp(-a * (truth - b)))).astype(np.int8)
    users = tuple(f"u{k:05d}" for k in range(n_users))
    index = np.arange(n_users)
    responses = Responses(users, ("i0",), index, np.zeros(n_users, int), correct)
    # The posterior without this item is N(theta, 0.3) for a theta drawn around the truth.
    precision = 0.3**-2
    theta = (truth + 0.3 * generator.normal(size=n_users)) * precision / (precision + 1)
    theta_sd = np.full(n_users, (precision + 1) ** -0.5)
    items = pd.DataFrame(
        {"item": ["i0"], "n": n_users, "a": 1.0, "b": 0.0, "a_sd": 0.05, "b_sd": 0.04}
    )
    found = Calibrated(
        items, pd.DataFrame({"theta": theta, "theta_sd": theta_sd}), draws or {}, 0.5, 0.5
    )
    return found, responses, Anchors(("i0",), [1.0], [0.0])


def test_an_estimate_that_moved_beyond_the_threshold_has_drifted():
    found, responses, anchors = anchored(0.0)
    found.items["b"] = 0.26
    assert drift_table(found, responses, anchors, 0.2, 0.25)["drifted"].iloc[0]
    assert not drift_table(found, responses, anchors, 0.2, 0.3)["drifted"].iloc[0]


@pytest.mark.parametrize(
    ("a_prior", "b_prior"), [((0.0, 0.2), (0.0, 1.0)), ((0.1, 0.2), (0.8, 0.4))]
)
def test_the_probability_of_drift_is_that_of_the_responses_under_the_general_prior(
    a_prior, b_prior
):
    found, responses, anchors = anchored(0.45, n_users=400, seed=3)
    with_answer(found, responses)
    # The anchor's own prior holds its estimate where it was: that is not the probability's matter.
    found.items["b"] = 0.0
    choice = PriorChoice(PriorSpec("lognormal", a_prior), PriorSpec("normal", b_prior))
    row = drift_table(found, responses, anchors, 0.2, 0.25, choice).iloc[0]
    # By hand: the likelihood of (log a, b) on a grid, over abilities without the item's answer,
    # times the normal priors of both.
    log_a, b = (x.ravel() for x in np.meshgrid(np.linspace(-0.8, 0.8, 81), np.linspace(-1, 1, 101)))
    without, _, _ = anchored(0.45, n_users=400, seed=3)
    m, s = (without.users[name].to_numpy() for name in ("theta", "theta_sd"))
    nodes, weights = np.polynomial.hermite_e.hermegauss(15)
    theta = m[:, None] + s[:, None] * nodes
    sign = np.where(responses.correct == 1, 1.0, -1.0)[:, None]
    density = np.array(
        [
            np.log((1 / (1 + np.exp(-sign * np.exp(x) * (theta - y)))) @ weights).sum()
            - ((x - a_prior[0]) / a_prior[1]) ** 2 / 2 - ((y - b_prior[0]) / b_prior[1]) ** 2 / 2
            for x, y in zip(log_a, b, strict=True)
        ]
    )  # fmt: skip
    density = np.exp(density - density.max())
    density /= density.sum()
    # Between the grid and normal densities in (log a, b) there are some hundredths.
    assert row["p_b"] == pytest.approx(density[np.abs(b) > 0.25].sum(), abs=0.03)
    assert row["p_a"] == pytest.approx(density[np.abs(np.exp(log_a) - 1) > 0.2].sum(), abs=0.05)
    assert row["p_b"] > 0.3


@pytest.mark.parametrize(("b_change", "a_change"), [(0.0, 0.0), (0.8, 0.0), (-0.5, 0.6)])
def test_what_the_responses_alone_say_is_the_truth_they_were_made_with(b_change, a_change):
    found, responses, anchors = anchored(b_change, a_change)
    # The abilities here do not hold the item's own answer: take it in, as a posterior does.
    with_answer(found, responses)
    drift = drift_table(found, responses, anchors, 0.2, 0.25).iloc[0]
    # Standard errors are about 0.03 for b and 0.045 for a.
    assert drift["b_alone"] == pytest.approx(b_change, abs=0.12)
    assert drift["a_alone"] == pytest.approx(1 + a_change, abs=0.17)
    assert drift["suspect"] == (b_change != 0)


def with_answer(found, responses):
    """Change abilities from N(m, s) to the posterior after the answer under (1, 0), as normals."""
    grid = np.linspace(-6, 6, 241)  # steps of 0.05, a sixth of the standard deviations
    m, s = (found.users[name].to_numpy()[:, None] for name in ("theta", "theta_sd"))
    sign = np.where(responses.correct == 1, 1.0, -1.0)[:, None]
    log_density = -0.5 * ((grid - m) / s) ** 2 - np.logaddexp(0, -sign * grid)
    density = np.exp(log_density - log_density.max(axis=1, keepdims=True))
    density /= density.sum(axis=1, keepdims=True)
    mean = density @ grid
    found.users["theta"] = mean
    found.users["theta_sd"] = np.sqrt(density @ grid**2 - mean**2)


def test_anchors_that_did_not_move_are_seldom_suspect():
    above = 0
    for seed in range(100):
        found, responses, anchors = anchored(0.0, n_users=400, seed=seed)
        with_answer(found, responses)
        drift = drift_table(found, responses, anchors, 0.2, 0.25).iloc[0]
        above += drift["conflict"] > 1.96
    # The truth is the prior's mean, not a draw from it, so somewhat fewer than 5 in 100; the
    # chance of 14 or more of 100 at 5 % each is under 1 in 1,000.
    assert 0 < above < 14


@pytest.mark.slow
def test_a_drifted_anchor_is_found_and_an_unmoved_one_is_not():
    simulated = simulated_items(n_users=800, n_items=20, n_anchors=6, per_user=15, seed=5)
    moved = simulated.anchors.b.copy()
    moved[0] -= 1.0
    anchors = Anchors(simulated.anchors.items, simulated.anchors.a, moved)
    spec = SamplerSpec(draws=400, tune=50, chains=2, seed=3)
    trace = calibrate_gibbs(simulated.responses, anchors, spec, most_draws=400).trace
    found = of_trace(trace, simulated.responses, item_priors(simulated.responses, anchors))
    drift = drift_table(found, simulated.responses, anchors, 0.2, 0.25)
    assert drifted_anchors(drift) == (anchors.items[0],)
    kept = undrifted(anchors, (anchors.items[0],))
    assert kept is not None
    assert kept.items == anchors.items[1:]


@pytest.mark.parametrize(
    ("drifted", "suspect", "words"),
    [
        ([1, 0, 0], [1, 0, 0], "Of 3 anchors 1 drifted"),
        ([0, 0, 0], [1, 0, 0], "Of 3 anchors 1 is in conflict with the responses"),
        ([1, 0, 0], [1, 1, 1], "Of 3 anchors 1 drifted and 2 are in conflict with the responses"),
    ],
)
def test_an_anchor_that_its_prior_holds_is_not_said_to_have_drifted(drifted, suspect, words):
    table = pd.DataFrame({"drifted": drifted, "suspect": suspect}, dtype=bool)
    assert drift_in_words(table) == words


def test_point_estimates_and_draws_make_tables_of_the_same_form():
    simulated = simulated_items()
    responses, priors = simulated.responses, item_priors(simulated.responses, simulated.anchors)
    trace = calibrate_gibbs(responses, simulated.anchors, SamplerSpec(draws=200, tune=100)).trace
    draws = of_trace(trace, responses, priors)
    for estimates in (calibrate_map(responses, simulated.anchors), calibrate_mml(responses)):
        points = of_estimates(estimates, responses, priors)
        assert list(points.items.columns) == list(draws.items.columns)
        assert list(points.users.columns) == list(draws.users.columns)
        for name in ("a", "b"):
            assert (points.items[f"{name}_low"] < points.items[name]).all()
            assert (points.items[f"{name}_high"] > points.items[name]).all()


def test_an_item_all_right_is_kept_listed_and_wide():
    responses = simulated_items().responses
    correct = responses.correct.copy()
    correct[responses.item == 3] = 1
    changed = Responses(responses.users, responses.items, responses.user, responses.item, correct)
    estimates = calibrate_map(changed)
    found = of_estimates(estimates, changed, item_priors(changed))
    row = found.items.iloc[3]
    assert row["one_sided"]
    others = found.items.drop(index=3)
    assert row["b_high"] - row["b_low"] > 1.5 * (others["b_high"] - others["b_low"]).median()


def method(a, b, **more):
    return pd.DataFrame({"item": [f"i{j}" for j in range(len(a))], "a": a, "b": b, **more})


def test_methods_are_compared_pair_by_pair_and_flagged():
    methods = {
        "one": method([1.0, 1.0, 1.0], [0.0, 0.0, 0.0], a_sd=[0.1] * 3, b_sd=[0.2] * 3),
        "two": method([1.05, 1.11, 1.0], [0.0, 0.0, -0.3]),
        "three": method([1.0, 1.0], [0.0, 0.0]),
    }
    found = agreement(methods, 0.1)
    pairs = found.pairs[(found.pairs["first"] == "one") & (found.pairs["second"] == "two")]
    assert pairs["flagged"].tolist() == [False, True, True]
    assert pairs["b_sds"].tolist() == pytest.approx([0.0, 0.0, -1.5])
    assert found.summary["n_flagged"].tolist() == [2, 0, 1]
    assert found.summary["n"].tolist() == [3, 2, 2]
    consensus = found.consensus.set_index("item")
    assert consensus["n_methods"].to_dict() == {"i0": 3, "i1": 3, "i2": 2}
    assert consensus.loc["i1", "a"] == 1.0
    assert consensus.loc["i2", "b_spread"] == pytest.approx(0.3)
    assert consensus["n_flagged"].to_dict() == {"i0": 0, "i1": 2, "i2": 1}


ITEMS = pd.DataFrame(
    {"item": ["i1", "i2"], "a": [1.5, 0.5], "b": [0.1, -0.1], "a_sd": 0.1, "b_sd": 0.2, "n": 300}
)
ABOUT = {"engine": "gibbs", "window": "it's; drop table x", "run_id": "0" * 32}


@pytest.fixture(params=["postgresql", "sqlite"])
def url(request, tmp_path):
    if request.param == "postgresql":
        return request.getfixturevalue("postgres_url")
    return f"sqlite:///{tmp_path / 'items.db'}"


def stored(url, table="item_parameters"):
    with engine_of(url).connect() as connection:
        return pd.read_sql(sa.text(f"SELECT * FROM {table} ORDER BY item"), connection)


def test_publication_makes_the_table_then_changes_and_adds_rows(url):
    assert publish(Target(url, "item_parameters"), ITEMS.head(1), ABOUT).rows == 1
    assert publish(Target(url, "item_parameters"), ITEMS.assign(b=[0.9, -0.1]), ABOUT).rows == 2
    found = stored(url)
    assert found["item"].tolist() == ["i1", "i2"]
    assert found["b"].tolist() == [0.9, -0.1]
    assert found["window"].tolist() == [ABOUT["window"]] * 2


def test_publication_leaves_other_rows_and_columns_alone(url):
    table = pd.DataFrame({"item": ["i1", "i9"], "a": 1.0, "b": 0.0, "note": ["mine", "too"]})
    table.to_sql("current", engine_of(url), index=False)
    publish(Target(url, "current"), ITEMS, ABOUT)
    found = stored(url, "current").set_index("item")
    assert found["a"].to_dict() == {"i1": 1.5, "i2": 0.5, "i9": 1.0}
    assert found.loc["i1", "note"] == "mine"


def test_publication_to_a_table_whose_items_are_numbers(url):
    pd.DataFrame({"item": [7, 9], "a": 1.0, "b": 0.0}).to_sql(
        "current", engine_of(url), index=False
    )
    publish(Target(url, "current"), ITEMS.assign(item=["7", "8"]), ABOUT)
    found = stored(url, "current").set_index("item")
    assert found["a"].to_dict() == {7: 1.5, 8: 0.5, 9: 1.0}
    with pytest.raises(DataError, match="items of table current are numbers: received 'i1'"):
        publish(Target(url, "current"), ITEMS, ABOUT)
    assert len(stored(url, "current")) == 3


def test_publication_to_a_table_of_something_else_is_refused(url):
    pd.DataFrame({"item": ["x"], "colour": ["red"]}).to_sql("other", engine_of(url), index=False)
    with pytest.raises(DataError, match="table other without the column a"):
        publish(Target(url, "other"), ITEMS, ABOUT)


PUBLISH = """
import sys
import pandas as pd
from tallgrass.items.publication import Target, publish
items = pd.DataFrame({"item": [f"i{k}" for k in range(200)], "a": 2.0, "b": 2.0, "a_sd": 0.1,
                      "b_sd": 0.1, "n": 300})
about = {"engine": "gibbs", "window": "", "run_id": "0" * 32}
publish(Target(sys.argv[1], "item_parameters"), items, about)
"""


@pytest.mark.faults
def test_a_publication_that_is_killed_has_changed_nothing(postgres_url):
    """Every row takes the server 20 ms; the process is killed when some are written."""
    before = pd.DataFrame({"item": [f"i{k}" for k in range(200)], "a": 1.0, "b": 1.0})
    engine = engine_of(postgres_url)
    before.to_sql("item_parameters", engine, index=False)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE SEQUENCE written")
        connection.exec_driver_sql(
            "CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "PERFORM nextval('written'); PERFORM pg_sleep(0.02); RETURN NEW; END $$"
        )
        connection.exec_driver_sql(
            "CREATE TRIGGER slow BEFORE UPDATE OR INSERT ON item_parameters FOR EACH ROW "
            "EXECUTE FUNCTION slowly()"
        )
    process = subprocess.Popen([sys.executable, "-c", PUBLISH, postgres_url], cwd=ROOT)
    # A sequence is outside transactions: it tells how many rows were written so far.
    deadline = time.monotonic() + 60
    while rows_written(engine) < 20:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait(30) == -signal.SIGKILL
    time.sleep(1)
    assert 20 <= rows_written(engine) < 200
    assert stored(postgres_url)[["a", "b"]].eq(1.0).all(axis=None)


def rows_written(engine):
    with engine.connect() as connection:
        row = connection.exec_driver_sql("SELECT last_value, is_called FROM written").one()
    return row[0] if row[1] else 0
