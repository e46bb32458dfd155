"""The page of the verdict has every row of it, and of the fit, under the name that is printed."""

from dataclasses import replace

import numpy as np
import pandas as pd
from example_report import example_input
from item_data import table
from test_project import ROOT

from tallgrass.inference.thresholds import Thresholds
from tallgrass.inference.verdict import judge
from tallgrass.items.engines import calibrate_map
from tallgrass.items.local_dependence import LocalDependence
from tallgrass.items.misfit import fit_of
from tallgrass.items.priors import item_priors
from tallgrass.items.tables import of_estimates, with_fit
from tallgrass.items.verdict import judge_estimates, with_abilities
from tallgrass.rollcalls import against_baseline, signs
from tallgrass.rollcalls.summaries import plane

SMALL = table(np.random.default_rng(1).integers(0, 2, (60, 4)))


def listed():
    """The first cells of all tables of the page."""
    text = (ROOT / "docs/verdict.md").read_text().replace("\\|", "\0")
    cells = [line.split("|")[1].strip() for line in text.splitlines() if line[:1] == "|"]
    return {name.replace("\0", "|") for cell in cells for name in cell.split(", ")}


def rows_of_the_verdict():
    everything = replace(example_input("flat").diagnostics, reflected=())
    judged = judge(everything, Thresholds(), 0.99, 0.9)
    verdicts = with_abilities(judged, np.ones(2), 1.01), judge_estimates(calibrate_map(SMALL))
    return {check.name for verdict in verdicts for check in verdict.checks}


def checks_of_the_fit():
    moved = pd.DataFrame({"drifted": [False], "suspect": [False], "item": ["i"]})
    pairs = LocalDependence(pd.DataFrame(), 1, 0, 0.0, 2, 60)
    tables = of_estimates(calibrate_map(SMALL), SMALL, item_priors(SMALL))
    verdicts = [fit_of(with_fit(tables, SMALL), moved, dependence=pairs)]
    verdicts += [example_input(model).fit_verdict for model in ("flat", "hierarchical")]
    names = {check.name for verdict in verdicts for check in verdict.checks}
    return names | {against_baseline.NAME, plane.NAME, signs.NAME}


def test_the_page_lists_every_row_of_the_verdict_and_of_the_fit_and_no_other():
    rows, checks = rows_of_the_verdict(), checks_of_the_fit()
    assert len(rows) == 11  # every row that there is, so that none is forgotten here
    assert len(checks) == 10
    assert rows | checks == listed() - {"row", "named", "---"}
