"""Scores of new persons: against plain maximisation, in a stream, as the MLflow model has them."""

import json

import mlflow
import numpy as np
import pandas as pd
import pytest
from example_store import default_store
from scipy.optimize import brentq, minimize_scalar
from scipy.special import expit

import tallgrass as tg
from tallgrass.cli import main
from tallgrass.items.served import Items
from tallgrass.items.specs import make_calibration_spec
from tallgrass.settings import Settings

A, B = np.array([0.8, 1.3, 1.0, 1.7]), np.array([-1.0, 0.0, 0.5, 1.2])
GUESS = np.array([0.2, 0.1, 0.25, 0.15])
THRESHOLDS = np.array(
    [[-1.0, 0.0, 1.1], [-0.4, 0.6, np.nan], [0.2, 0.9, 1.6], [0.0, np.nan, np.nan]]
)
PERSONS = np.array([[1, 1, 0, 0], [0, 1, 1, -1], [1, 1, 1, 1], [0, 0, 0, 0]])


def log_likelihood(theta, answers, model):
    """Plainly written; answers of -1 are none."""
    total = 0.0
    for j, y in enumerate(answers):
        if y < 0:
            continue
        if model == "graded":
            b = THRESHOLDS[j][np.isfinite(THRESHOLDS[j])]
            at_least = np.concatenate([[1.0], expit(A[j] * (theta - b)), [0.0]])
            total += np.log(at_least[y] - at_least[y + 1])
        else:
            c = GUESS[j] if model == "3pl" else 0.0
            p = c + (1 - c) * expit(A[j] * (theta - B[j]))
            total += np.log(p if y else 1 - p)
    return total


def items_of(model, mean=0.0, sd=1.0):
    b = THRESHOLDS if model == "graded" else B[:, None]
    return Items(A, b, GUESS if model == "3pl" else np.zeros(4), mean, sd)


@pytest.mark.parametrize("model", ["2pl", "3pl", "graded"])
def test_eap_and_map_are_mean_and_maximum_of_the_posterior(model):
    found = items_of(model, 0.3, 1.2).score(PERSONS, ("eap", "map"))
    grid = np.linspace(-8, 8, 4001)
    for row, answers in enumerate(PERSONS):
        log_density = np.array([log_likelihood(t, answers, model) for t in grid])
        log_density -= 0.5 * ((grid - 0.3) / 1.2) ** 2
        weight = np.exp(log_density - log_density.max())
        weight /= weight.sum()
        mean = weight @ grid
        assert found["eap"][row] == pytest.approx(mean, abs=1e-4)
        assert found["eap_sd"][row] == pytest.approx(np.sqrt(weight @ (grid - mean) ** 2), abs=1e-4)
        best = minimize_scalar(
            lambda t, y=answers: -log_likelihood(t, y, model) + 0.5 * ((t - 0.3) / 1.2) ** 2,
            bounds=(-6, 6), method="bounded", options={"xatol": 1e-9},
        )  # fmt: skip
        assert found["map"][row] == pytest.approx(best.x, abs=1e-5)


def test_wle_is_the_root_of_warms_equation_and_finite_for_all_right_or_wrong():
    """Warm (1989) for 2PL: the maximum of the likelihood times the root of the information."""
    found = items_of("2pl").score(PERSONS, ("wle",))

    def slope(t, answers):
        s = expit(A * (t - B))
        used = answers >= 0
        information = (A**2 * s * (1 - s))[used].sum()
        j = (A**3 * s * (1 - s) * (1 - 2 * s))[used].sum()
        return (A * (answers - s))[used].sum() + j / (2 * information), information

    for row, answers in enumerate(PERSONS):
        root = brentq(lambda t, y=answers: slope(t, y)[0], -6, 6)
        assert found["wle"][row] == pytest.approx(root, abs=1e-5)
        se = 1 / np.sqrt(slope(root, answers)[1])
        assert found["wle_se"][row] == pytest.approx(se, rel=1e-4)


def test_two_graded_answers_are_scored_as_answers_of_0_and_1():
    b = np.column_stack([B, np.full(4, np.nan)])
    b[0, 1] = 2.0  # one item of three answers sends all through the way of graded items
    mixed = Items(A, b, np.zeros(4)).score(np.array([[-1, 1, 0, 1]]))
    plain = items_of("2pl").score(np.array([[-1, 1, 0, 1]]))
    for name, value in plain.items():
        np.testing.assert_allclose(mixed[name], value, atol=1e-6, err_msg=name)


@pytest.mark.parametrize(
    ("method", "error"), [("eap", "eap_sd"), ("map", "map_se"), ("wle", "wle_se")]
)
def test_standard_errors_cover_abilities(method, error):
    """4000 persons on 40 items of three answers: 95 % lie within, to 4 binomial errors."""
    generator = np.random.default_rng(8)
    a = np.exp(0.2 * generator.normal(size=40))
    b = np.sort(generator.normal(size=(40, 2)), axis=1)
    theta = generator.normal(size=4000)
    at_least = expit(a[:, None] * (theta[:, None, None] - b))
    answers = (generator.random((4000, 40, 1)) < at_least).sum(axis=2)
    found = Items(a, b, np.zeros(40)).score(answers, (method,))
    inside = np.mean(np.abs(found[method] - theta) < 1.96 * found[error])
    assert inside == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / 4000) + 0.006)


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    generator = np.random.default_rng(4)
    right = generator.random((400, 4)) < expit(A * (generator.normal(size=(400, 1)) - B))
    with default_store(tmp_path_factory.mktemp("store")) as folder:
        frame = pd.DataFrame(right.astype(int), columns=["q1", "q2", "q3", "q4"])
        frame.insert(0, "user", [f"u{k:03d}" for k in range(400)])
        frame.to_csv("wide.csv", index=False)
        long = frame.melt("user", var_name="item", value_name="response")
        long.sort_values("user", kind="stable").to_csv("long.csv", index=False)
        long.to_csv("scattered.csv", index=False)
        spec = make_calibration_spec(
            responses="wide.csv", item_model="3pl", engine="map", min_responses=1
        )
        yield tg.calibrate(spec, Settings(progress="none")), folder


def scored(bank, *flags):
    assert main(["score", bank[0].run_id, "--methods", "eap,map,wle", *flags]) == 0
    return pd.read_csv("scores.csv")


def test_long_and_wide_files_give_the_same_scores_in_pieces_of_any_size(bank, monkeypatch):
    wide = scored(bank, "--responses", "wide.csv")
    assert len(wide) == 400
    assert (wide["n"] == 4).all()
    monkeypatch.setattr("tallgrass.items.sources.files.read_pieces.__defaults__", (tg_limits(), 7))
    long = scored(bank, "--responses", "long.csv")
    pd.testing.assert_frame_equal(long, wide)


def tg_limits():
    from tallgrass.inputs.limits import DEFAULT_LIMITS

    return DEFAULT_LIMITS


def test_the_served_model_gives_the_scores_of_the_command(bank):
    table = scored(bank, "--responses", "wide.csv").set_index("user")
    model = mlflow.pyfunc.load_model(tg.log_model(bank[0].run_id))
    rows = pd.read_csv("long.csv").rename(columns={"user": "person"}).astype({"response": float})
    predicted = model.predict(rows.head(40)).assign(user=rows["person"].head(40))
    of_model = predicted.groupby("user").first()
    for name in ("eap", "eap_sd", "map", "map_se", "wle", "wle_se"):
        np.testing.assert_allclose(of_model[name], table.loc[of_model.index, name], atol=2e-5)
    # A point estimate is one draw, so that the posterior over draws is that at the estimate.
    np.testing.assert_allclose(predicted["theta"], predicted["eap"], atol=1e-6)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"file": "scattered.csv", "piece": 7}, "the rows of a person are not together"),
        ({"rename": {"q4": "q9"}}, "1 items that the run did not calibrate"),
        ({"cell": 2}, "responses other than 0 and 1"),
    ],
)
def test_what_cannot_be_scored_is_refused_and_no_file_is_left(
    bank, capsys, monkeypatch, change, words
):
    frame = pd.read_csv("wide.csv").rename(columns=change.get("rename", {}))
    if "cell" in change:
        frame.loc[3, "q2"] = change["cell"]
    frame.to_csv("bad.csv", index=False)
    if "piece" in change:
        monkeypatch.setattr(
            "tallgrass.items.sources.files.read_pieces.__defaults__", (tg_limits(), change["piece"])
        )
    flags = ["--responses", change.get("file", "bad.csv"), "--output", "none.csv"]
    assert main(["score", bank[0].run_id, *flags]) == 2
    assert words in capsys.readouterr().err
    assert not list(bank[1].glob("*none.csv*"))


def test_the_name_of_a_person_is_no_formula_in_the_scores(bank):
    frame = pd.read_csv("wide.csv").head(2).assign(user=["=1+cmd()", "@b"])
    frame.to_csv("formula.csv", index=False)
    assert scored(bank, "--responses", "formula.csv")["user"].tolist() == ["'=1+cmd()", "'@b"]


def test_the_answer_as_json_says_what_was_scored(bank, capsys):
    assert main(["score", bank[0].run_id, "--responses", "wide.csv", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["persons"], answer["answers"]) == (400, 1600)
    assert answer["prior"] == {"mean": 0.0, "sd": 1.0}
