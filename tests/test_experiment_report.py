"""The report of an experiment: every run with what its verdict and its baseline say."""

import pandas as pd
from html_page import Page

from tallgrass.experiment.report import ExperimentInput, build_experiment
from tallgrass.tracking.reading.comparison import COLUMNS


def page_of(**columns):
    runs = pd.DataFrame({"label": ["one"], "verdict": ["pass"], **columns}, index=["0" * 32])
    page, _ = build_experiment(
        ExperimentInput(
            name="priors", question="Does it matter?", hypothesis="", status="pass",
            run_id="0" * 32, badge="", answers=[], errors={},
            comparison=pd.DataFrame(columns=COLUMNS), runs=runs, groups=[],
        )
    )  # fmt: skip
    return Page(page).words


def test_a_difference_of_the_elpd_stands_beside_its_standard_error():
    words = page_of(**{"baseline/elpd_diff": [-655.62], "baseline/elpd_diff_se": [39.71]})
    assert "ELPD diff. its SE" in " ".join(words.split())
    assert "39.7" in words


def test_a_value_is_not_shown_as_the_threshold_that_it_misses():
    words = page_of(rhat_max=[1.00996], abs_r=[0.949996])
    assert "1.00996" in words
    assert "0.949996" in words
