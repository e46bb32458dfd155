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

from tallgrass import calibration
from tallgrass.calibration import Calibrated
from tallgrass.errors import DataError
from tallgrass.estimation import calibrate_gibbs, calibrate_map, calibrate_mml
from tallgrass.models.item_priors import item_priors
from tallgrass.responses import Anchors, Responses
from tallgrass.specs import SamplerSpec

ROOT = Path(__file__).parent.parent


def calibrated(b_draws, a_draws=None):
    """Draws of items as an engine would give them, shape (draws, items)."""
    a_draws = np.ones_like(b_draws) if a_draws is None else a_draws
    items = pd.DataFrame({"item": [f"i{j}" for j in range(b_draws.shape[1])], "n": 300})
    for name, draws in (("a", a_draws), ("b", b_draws)):
        items[name], items[f"{name}_sd"] = draws.mean(axis=0), draws.std(axis=0, ddof=1)
    return Calibrated(items, pd.DataFrame(), {"a": a_draws, "b": b_draws}, 0.5, 0.5)


def normal_draws(mean, sd, n=20_000, seed=1):
    draws = np.random.default_rng(seed).normal(size=(n, len(mean)))
    draws = (draws - draws.mean(axis=0)) / draws.std(axis=0, ddof=1)
    return np.asarray(mean) + np.asarray(sd) * draws


def test_drift_is_a_threshold_and_a_probability():
    found = calibrated(normal_draws([0.26, 0.24, 0.0], [0.04, 0.04, 0.04]))
    anchors = Anchors(("i0", "i1", "i2"), np.ones(3), np.zeros(3))
    drift = calibration.drift_table(found, anchors, 0.2, 0.25).set_index("item")
    assert drift["drifted"].to_dict() == {"i0": True, "i1": False, "i2": False}
    # P(N(0.26, 0.04) > 0.25) = Phi(0.25), by symmetry of the other one.
    assert drift.loc["i0", "p_b"] == pytest.approx(0.5987, abs=0.015)
    assert drift.loc["i1", "p_b"] == pytest.approx(1 - 0.5987, abs=0.015)
    assert drift.loc["i2", "p_b"] < 1e-3


def test_what_the_responses_alone_say_is_the_posterior_without_the_prior():
    # Likelihood N(1.0, 0.2) times prior N(0, 0.05): precision 25 + 400, mean 25 / 425.
    mean, sd = 25 / 425, 425**-0.5
    a = np.exp(normal_draws([0.0], [0.04], seed=2))
    found = calibrated(normal_draws([mean], [sd]), a)
    drift = calibration.drift_table(found, Anchors(("i0",), [1.0], [0.0]), 0.2, 0.25)
    assert drift["b_alone"].iloc[0] == pytest.approx(1.0, abs=0.05)
    # The conflict is that of two normal values: 1.0 / sqrt(0.2^2 + 0.05^2).
    assert drift["conflict_b"].iloc[0] == pytest.approx(1 / np.sqrt(0.2**2 + 0.05**2), rel=0.01)
    assert not drift["drifted"].iloc[0]
    assert drift["suspect"].iloc[0]


def test_a_drifted_anchor_is_found_and_an_unmoved_one_is_not():
    simulated = simulated_items(n_users=2000, n_items=40, n_anchors=6, per_user=25, seed=5)
    moved = simulated.anchors.b.copy()
    moved[0] -= 1.0
    anchors = Anchors(simulated.anchors.items, simulated.anchors.a, moved)
    spec = SamplerSpec(draws=500, tune=200, seed=3)
    trace = calibrate_gibbs(simulated.responses, anchors, spec).trace
    found = calibration.of_trace(
        trace, simulated.responses, item_priors(simulated.responses, anchors)
    )
    drift = calibration.drift_table(found, anchors, 0.2, 0.25)
    assert calibration.drifted_anchors(drift) == (anchors.items[0],)
    kept = calibration.undrifted(anchors, (anchors.items[0],))
    assert kept is not None
    assert kept.items == anchors.items[1:]


def test_point_estimates_and_draws_make_tables_of_the_same_form():
    simulated = simulated_items()
    responses, priors = simulated.responses, item_priors(simulated.responses, simulated.anchors)
    trace = calibrate_gibbs(responses, simulated.anchors, SamplerSpec(draws=200, tune=100)).trace
    draws = calibration.of_trace(trace, responses, priors)
    for estimates in (calibrate_map(responses, simulated.anchors), calibrate_mml(responses)):
        points = calibration.of_estimates(estimates, responses, priors)
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
    found = calibration.of_estimates(estimates, changed, item_priors(changed))
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
    found = calibration.agreement(methods, 0.1)
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
    assert calibration.publish(url, "item_parameters", ITEMS.head(1), ABOUT) == 1
    assert calibration.publish(url, "item_parameters", ITEMS.assign(b=[0.9, -0.1]), ABOUT) == 2
    found = stored(url)
    assert found["item"].tolist() == ["i1", "i2"]
    assert found["b"].tolist() == [0.9, -0.1]
    assert found["window"].tolist() == [ABOUT["window"]] * 2


def test_publication_leaves_other_rows_and_columns_alone(url):
    table = pd.DataFrame({"item": ["i1", "i9"], "a": 1.0, "b": 0.0, "note": ["mine", "too"]})
    table.to_sql("current", engine_of(url), index=False)
    calibration.publish(url, "current", ITEMS, ABOUT)
    found = stored(url, "current").set_index("item")
    assert found["a"].to_dict() == {"i1": 1.5, "i2": 0.5, "i9": 1.0}
    assert found.loc["i1", "note"] == "mine"


def test_publication_to_a_table_of_something_else_is_refused(url):
    pd.DataFrame({"item": ["x"], "colour": ["red"]}).to_sql("other", engine_of(url), index=False)
    with pytest.raises(DataError, match="table other without the column a"):
        calibration.publish(url, "other", ITEMS, ABOUT)


PUBLISH = """
import sys
import pandas as pd
from tallgrass import calibration
items = pd.DataFrame({"item": [f"i{k}" for k in range(200)], "a": 2.0, "b": 2.0, "a_sd": 0.1,
                      "b_sd": 0.1, "n": 300})
about = {"engine": "gibbs", "window": "", "run_id": "0" * 32}
calibration.publish(sys.argv[1], "item_parameters", items, about)
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
