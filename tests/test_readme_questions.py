"""The questions that the README answers in one line each are answered rightly, on real runs."""

from pathlib import Path

import numpy as np
import pytest
from example_store import default_store

import tallgrass as tg

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
TINY = {"session": "simulated", "draws": 40, "tune": 60, "chains": 2}
MADE = (
    {"init": "pca", "beta_prior": "normal:0,1"},
    {"init": "none", "beta_prior": "normal:0,0.05"},  # discriminations near 0 predict badly
    {"init": "pca", "beta_prior": "normal:0,2", "chamber": "house"},
    {"init": "pca", "beta_prior": "lognormal:0,0.5"},
)


def answer(question: str):
    """What the README's line of this question gives."""
    [line] = [line for line in README.splitlines() if line.endswith(f"  # {question}")]
    return eval(line, {"tg": tg, "spec": tg.RunSpec(**TINY)})


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Ids of runs in the order in which they were made."""
    with default_store(tmp_path_factory.mktemp("questions")):
        quiet = tg.Settings(progress="none", state_dir=Path("state"))
        yield [tg.fit(tg.RunSpec(**TINY, **given), quiet).run_id for given in MADE]


def test_all_senate_runs_with_a_pca_start_come_newest_first(made):
    table = answer("all Senate runs with a PCA start, newest first")
    assert table["run_id"].tolist() == [made[3], made[0]]


def test_the_prior_with_the_best_elpd_is_named(made):
    table = tg.runs().set_index("run_id")
    best = answer("which prior had the best ELPD")
    assert best["run_id"].tolist() == [table["elpd_loo"].idxmax()]
    assert best["beta_prior"].item() == table.loc[best["run_id"].item(), "beta_prior"]
    assert best["beta_prior"].item() != "normal:0,0.05"


def test_r_between_two_runs_is_the_correlation_of_their_positions(made):
    means = [
        tg.load_trace(run_id)["posterior"]["xi"].mean(("chain", "draw"))
        for run_id in (made[3], made[1])
    ]
    expected = abs(np.corrcoef(*means)[0, 1])
    assert answer("|r| between any two runs") == pytest.approx(expected, abs=1e-6)
