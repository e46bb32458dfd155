import base64
import hashlib
import re
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from html_page import Page
from item_data import simulated_items
from needs import missing

from tallgrass.inference.diagnostics import Thresholds, diagnose
from tallgrass.inference.fit_verdict import FitCheck, FitVerdict
from tallgrass.inference.spec import SamplerSpec
from tallgrass.inference.verdict import Verdict, judge
from tallgrass.items import plots, tables
from tallgrass.items.agreement import agreement
from tallgrass.items.analysis import CalibrationAnalysis
from tallgrass.items.changes import changes
from tallgrass.items.curves import curves_of
from tallgrass.items.drift import drift_table, with_information
from tallgrass.items.engines import calibrate_gibbs, calibrate_map
from tallgrass.items.prepare import PreparedCalibration
from tallgrass.items.priors import item_priors
from tallgrass.items.report import build_calibration, calibration_figures
from tallgrass.items.report.month import MonthInput, build_month
from tallgrass.items.responses import Anchors, Responses
from tallgrass.items.sources import DroppedItem, LoadedResponses, ResponseLog
from tallgrass.items.specs import make_calibration_spec
from tallgrass.tracking.store import masked

NASTY = [
    '<script>alert("x")</script>', "O'Brien \"Bob\" & Sons", "Zoë Ñandú", "$x$ and $y_1$",
    "</script><b>", "{{ 7 * 7 }}", r"$\frac{",
]  # fmt: skip
ITEMS = pd.DataFrame({"item": ["q1", "q2"], "a": 1.0, "a_sd": 0.05, "b": 0.0, "b_sd": 0.05})
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def example(engine="gibbs", rename=None, anchored=True, location="answers.csv", **changes):
    """A calibration as the pipeline gives it to the report."""
    simulated = simulated_items(n_users=300, n_items=14, n_anchors=4, per_user=10, seed=3)
    responses, anchors = simulated.responses, simulated.anchors
    if rename:
        items = tuple(f"{name} {rename[k % len(rename)]}" for k, name in enumerate(responses.items))
        users = tuple(f"{name} {rename[k % len(rename)]}" for k, name in enumerate(responses.users))
        responses = Responses(users, items, responses.user, responses.item, responses.correct)
        anchors = Anchors(items[:4], anchors.a, anchors.b)
    priors = item_priors(responses, anchors)
    spec = make_calibration_spec(engine=engine, responses=location)
    points = calibrate_map(responses, anchors)
    if engine == "gibbs":
        trace = calibrate_gibbs(responses, anchors, SamplerSpec(draws=100, tune=50, seed=1)).trace
        found = tables.with_fit(tables.of_trace(trace, responses, priors), responses)
        diagnostics = diagnose(trace)
        verdict = judge(diagnostics, Thresholds())
    else:
        trace = tables.trace_of_estimates(points, responses, priors, {})
        found = tables.with_fit(tables.of_estimates(points, responses, priors), responses)
        diagnostics = None
        verdict = Verdict("pass", ())
    other = pd.DataFrame({"item": responses.items, "a": 1.0, "b": points.b + 0.2})
    log = ResponseLog(3010, 4, 6, "first", 50, (DroppedItem("thin one", 12),), 2)
    run = CalibrationAnalysis(
        run_id="0" * 32,
        trace=trace,
        prepared=PreparedCalibration(
            spec,
            LoadedResponses(responses, masked(location), log),
            anchors if anchored else None,
            (),
            (),
        ),
        calibrated=found,
        diagnostics=diagnostics,
        verdict=verdict,
        drift=with_information(
            drift_table(found, responses, anchors, 0.2, 0.25), found.population, 0.2
        ),
        agreement=agreement({engine: found.items, "other": other}, 0.1),
        notes=("a note of the engine",),
        timings={"sampling_s": 1.5},
    )
    return replace(run, **changes)


SECTIONS = {
    "findings", "model", "items", "curves", "wright-map", "drift", "agreement", "fit", "data",
    "environment", "verdict",
}  # fmt: skip


def test_the_page_holds_every_section_and_every_figure():
    run = example()
    page = Page(build_calibration(run))
    assert page.sections == SECTIONS | {"convergence"}
    assert len(page.all("img")) == len(calibration_figures(run))
    assert all(len(attrs["alt"]) > 40 for attrs in page.all("img"))
    for words in ("thin one", "a note of the engine", "a user answered 10 items on average"):
        assert words in page.words


def test_the_page_of_gibbs_names_no_sampler_that_drew_nothing():
    words = Page(build_calibration(example())).words
    assert "nutpie" not in words
    assert "target_accept" not in words
    assert "log a is normal with mean 0, SD 0.2; b is normal with mean 0, SD 1" in words


def test_the_page_says_the_priors_that_were_chosen():
    run = example("map")
    chosen = run.spec.model_copy(update={"a_prior": "lognormal:0.1,0.4", "b_prior": "normal:0,2"})
    run = replace(run, prepared=replace(run.prepared, spec=chosen))
    words = Page(build_calibration(run)).words
    assert "log a is normal with mean 0.1, SD 0.4; b is normal with mean 0, SD 2" in words


def test_a_point_estimate_has_no_section_on_convergence():
    page = Page(build_calibration(example("map")))
    assert page.sections == SECTIONS


def test_without_anchors_and_other_methods_their_sections_are_left_out():
    run = example("map", anchored=False, drift=None, agreement=None)
    page = Page(build_calibration(run))
    assert page.sections == SECTIONS - {"drift", "agreement"}


def test_a_dropped_anchor_is_said():
    run = example("map", purified=("i00001",))
    page = Page(build_calibration(run))
    assert "Anchors dropped because they drifted" in page.words


@pytest.mark.filterwarnings("error")
def test_names_from_the_data_are_shown_as_they_are_and_never_run():
    page_text = build_calibration(example("map", rename=NASTY, location=NASTY[0]))
    page = Page(page_text)
    assert len(page.all("script")) == 1  # the page's own
    assert page.all("b") == []
    for text in NASTY:
        assert text in page.words
    script = re.search(r"<script>(.*)</script>", page_text, re.DOTALL)
    assert "alert(" not in script.group(1)


def test_a_password_in_the_address_is_not_on_the_page():
    page = build_calibration(example("map", location="postgresql://me:hush@127.0.0.1/x"))
    assert "hush" not in page


@pytest.mark.browser
def test_a_browser_shows_the_page_without_a_complaint(tmp_path):
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        reason = f"no browser: none of {', '.join(BROWSERS)} is installed"
        missing(reason)
    page = build_calibration(example())
    look = (
        "window.addEventListener('load', () => {"
        "const found = [...document.images].map((i) => i.naturalWidth > 0);"
        "const box = document.querySelector('#items input');"
        "box.value = 'i00003'; box.dispatchEvent(new Event('input'));"
        "const rows = [...document.querySelector('#items table').tBodies[0].rows];"
        "document.title = JSON.stringify([found.every(Boolean), found.length,"
        "rows.filter((r) => !r.hidden).length]); });"
    )
    # The page's policy lets its own script run alone, so this one is named in it.
    name = base64.b64encode(hashlib.sha256(look.encode()).digest()).decode()
    page = page.replace("script-src ", f"script-src 'sha256-{name}' ", 1)
    path = tmp_path / "page.html"
    path.write_text(page.replace("</body>", f"<script>{look}</script></body>"), encoding="utf-8")
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"]
    command += ["--disable-background-networking", f"--user-data-dir={tmp_path / 'profile'}"]
    command += ["--virtual-time-budget=10000", "--dump-dom", path.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert re.findall(r'CONSOLE[^"]*"(.*)", source', done.stderr) == []
    n = len(calibration_figures(example()))
    assert f"<title>[true,{n},1]</title>" in done.stdout


def test_curves_of_few_items_are_named_and_of_many_are_not():
    def legend(n):
        curves = curves_of(np.ones(n), np.linspace(-1, 1, n))
        figure = plots.item_curves(curves, np.zeros(5), [f"$x_{j}$" for j in range(n)])
        return figure.axes[0].get_legend()

    assert [text.get_text() for text in legend(2).get_texts()] == [r"\$x_0\$", r"\$x_1\$"]
    assert legend(7) is None


def test_the_page_of_a_month_says_what_questions_the_fit():
    doubt = FitCheck("pairs of items", "questioned", "Answers to 1 of 91 pairs depend.")
    page = build_month(
        MonthInput(
            title="2026-10", verdict=Verdict("pass", ()), fit=FitVerdict((doubt,)), engine="map",
            run_id="1", compared_id="2", before_id="3", location="bank", n_items=2, n_responses=9,
            published=0, publication="Nothing was to be published.", n_drifted=0, n_anchors=0,
            agreement=agreement({"map": ITEMS, "mml": ITEMS}, 0.1),
            changes=changes(ITEMS, ITEMS.assign(a=[1.0, 0.8]), 0.25, 0.1, 0.2),
        )
    )  # fmt: skip
    assert "The fit to the responses is in doubt: pairs of items" in page
    assert "Answers to 1 of 91 pairs depend." in page
    assert re.search("\N{MINUS SIGN}3[0-9].%", page)
