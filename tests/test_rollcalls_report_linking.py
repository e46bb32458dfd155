"""The report of a link says what can be relied on, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest
from html_page import Page

from tallgrass.rollcalls import plots
from tallgrass.rollcalls.link_analysis import LinkAnalysis
from tallgrass.rollcalls.linking import LinkOptions, Scale, link_scales
from tallgrass.rollcalls.report import build_link
from tallgrass.rollcalls.votes import RollCall

N_BILLS, N_MEMBERS, N_DRAWS = 30, 24, 60


def scale(run_id: str, chamber: str, noise: float, seed: int = 0, **facts: str) -> Scale:
    """Draws of a chamber whose bills are those of a common truth, each off by some noise."""
    truth, rng = np.random.default_rng(5), np.random.default_rng(seed)
    beta = truth.normal(0, 1.5, N_BILLS)
    cut = truth.normal(0, 0.8, N_BILLS)
    beta = beta * np.exp(noise * rng.normal(size=N_BILLS))
    cut = cut + noise * rng.normal(size=N_BILLS)
    draws = beta[:, None] * np.exp(0.02 * rng.normal(size=(N_BILLS, N_DRAWS)))
    party = np.arange(N_MEMBERS) % 2
    xi = (2.0 * party - 1)[:, None] + 0.3 * rng.normal(size=(N_MEMBERS, 1))
    return Scale(
        run_id=run_id * 32,
        session="99th",
        chamber=chamber,
        rollcalls=tuple(RollCall(f"{chamber}{j}", f"HB {j}") for j in range(N_BILLS)),
        slugs=tuple(f"{chamber}_{i}" for i in range(N_MEMBERS)),
        names=tuple(f"{chamber.title()} {i}" for i in range(N_MEMBERS)),
        parties=tuple(("Democrat", "Republican")[g] for g in party),
        alpha=draws * cut[:, None],
        beta=draws,
        xi=xi + 0.05 * rng.normal(size=(N_MEMBERS, N_DRAWS)),
        **facts,
    )


def analysis(target_noise: float, **facts: str) -> LinkAnalysis:
    reference = scale("a", "house", 0.0, 1, verdict="pass", status="FINISHED")
    target = scale(
        "b", "senate", target_noise, 2, **{"verdict": "pass", "status": "FINISHED"} | facts
    )
    options = LinkOptions(over="bills", draws=20)
    linking = link_scales(reference, target, options)
    return LinkAnalysis(
        run_id="c" * 32, linking=linking, reference=reference, target=target, options=options
    )


def findings(page: LinkAnalysis) -> str:
    return Page(build_link(page, {})).words.split("Key findings")[2].split("The link by every")[0]


def test_methods_that_agree_state_the_transformation():
    page = analysis(0.05)
    assert page.linking.metrics["link/cv"] < 0.2
    assert "A position on the target's scale times" in findings(page)


def test_methods_that_disagree_state_no_transformation():
    page = analysis(1.2)
    assert page.linking.metrics["link/cv"] > 0.2
    words = findings(page)
    assert "No transformation is stated, because the methods disagree" in words
    assert "times" not in words
    assert "half gaps" not in words
    assert "the others give other positions" in Page(build_link(page, {})).words
    slopes = page.linking.coefficients.query("treatment == 'none'")["A"]
    assert f"A is between {slopes.min():.2f} and {slopes.max():.2f}" in words


@pytest.mark.parametrize(
    ("facts", "warning"),
    [
        ({"verdict": "fail"}, "the target run bbbbbbbb (Senate of 99th) did not pass, its verdict"),
        ({"verdict": "unresolved"}, "its verdict is unresolved"),
        ({"verdict": "", "status": "KILLED"}, "did not finish: it is KILLED"),
    ],
)
def test_a_target_run_that_failed_is_named(facts, warning):
    page = analysis(0.05, **facts)
    assert any(warning in text for text in page.linking.warnings)
    assert "The target run (Senate of 99th) did not pass" in findings(page)
    html = Page(build_link(page, {})).words
    assert "Linked, with warnings" in html


def test_runs_that_passed_or_are_of_unknown_verdict_are_not_warned_of():
    known = analysis(0.05)
    unknown = replace(
        known,
        linking=link_scales(
            known.reference, replace(known.target, verdict="", status=""), known.options
        ),
    )
    for page in (known, unknown):
        assert not any("verdict" in text for text in page.linking.warnings)


def test_an_estimate_outside_the_picture_is_an_arrow_with_its_number():
    table = analysis(0.05).linking.coefficients.copy()
    row = table.index[table["method"] == "mean-sigma"][0]
    for column, value in (("A", 40.0), ("A_low", -900.0), ("A_high", 900.0)):
        table[column] = table[column].astype(float)
        table.loc[row, column] = value
    assert list(table.index[plots.off_scale(table, "A")]) == [row]
    axes = plots.link_coefficients(table).axes[0]
    assert [text.get_text() for text in axes.texts] == ["40.00"]
    low, high = axes.get_xlim()
    inside = [low <= x <= high for line in axes.lines for x in line.get_xdata()]
    assert inside.count(False) == 1  # the estimate itself, which the arrow stands for
    arrows = [line for line in axes.lines if line.get_marker() == ">"]
    assert len(arrows) == 1
    assert not plots.link_coefficients(analysis(0.05).linking.coefficients).axes[0].texts
