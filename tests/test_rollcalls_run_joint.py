"""A joint run from two chambers' files to its report; what it cannot use leaves nothing behind."""

import json
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from example_session import write_votes
from html_page import Page
from toy_chambers import usual_chambers

from tallgrass.cli import main
from tallgrass.errors import DataError, SpecError
from tallgrass.rollcalls import earlier
from tallgrass.rollcalls.audit import audit
from tallgrass.rollcalls.fit import fit
from tallgrass.rollcalls.report import build, figures
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.rollcalls.summaries import joint_tables
from tallgrass.settings import Settings
from tallgrass.tracking import reading

SHORT = {"draws": 100, "tune": 200, "chains": 2}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A short joint run, after each chamber was run alone and passed."""
    folder = tmp_path_factory.mktemp("joint")
    settings = Settings(
        tracking_uri=f"sqlite:///{folder / 'mlflow.db'}",
        progress="none",
        threshold_rhat=9.0,
        threshold_ess=1.0,
        threshold_divergences=10_000,
        threshold_ebfmi=0.001,
        trace_precision="float64",  # party means are exact only in draws that are not rounded
    )
    joint = usual_chambers()
    session = write_votes(folder / "99th_2041-2042", joint.house, joint.senate)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for chamber in ("house", "senate"):
            fit(RunSpec(session=session, chamber=chamber, fit_checks=False, **SHORT), settings)
        result = fit(RunSpec(session=session, chamber="both", model="joint", **SHORT), settings)
        yield result, joint, settings, session


def table(result, name):
    path = Path(result.report_path).parents[1] / "tables" / f"{name}.json"
    stored = json.loads(path.read_text())
    return pd.DataFrame(stored["data"], columns=stored["columns"])


def test_a_joint_run_places_all_members_and_lists_every_roll_call_once(done):
    result, joint, _, _ = done
    assert len(earlier.ideal_points(result.run_id)) == 15 + 15
    matches = table(result, "matched_bills")
    assert len(matches) == 30 + 30 - 12
    assert (matches["status"] == "matched").sum() == 12
    assert joint.combined.chamber == "both"


def test_the_houses_parties_are_the_scale(done):
    result, joint, _, _ = done
    means = result.trace["posterior"]["xi"].mean(("chain", "draw")).to_numpy()[joint.rows["house"]]
    party = joint.house.party_index
    assert means[party == 0].mean() == pytest.approx(-1, abs=1e-9)
    assert means[party == 1].mean() == pytest.approx(1, abs=1e-9)


def test_the_probability_of_standing_to_the_right_is_a_share_of_draws(done):
    result, joint, _, _ = done
    right = table(result, "right_of").set_index("senator")
    xi = result.trace["posterior"]["xi"]
    senator, representative = joint.senate.slugs[3], joint.house.slugs[5]
    expected = (xi.sel(legislator=senator) > xi.sel(legislator=representative)).mean()
    assert right.loc[senator, representative] == pytest.approx(float(expected), abs=1e-9)


def test_every_chain_is_held_against_the_chambers_own_runs(done):
    result, _, _, _ = done
    chains = table(result, "chains")
    assert sorted(zip(chains["chamber"], chains["chain"], strict=True)) == [
        *(("house", c) for c in range(2)),
        *(("senate", c) for c in range(2)),
    ]
    assert (chains["r"] > 0.8).all()
    beside = table(result, "linked_beside")
    assert set(beside["method"]) == {"mean-mean", "mean-sigma", "haebara", "stocking-lord"}


def test_the_report_tells_of_the_scale_the_groups_the_audit_and_the_bills(done):
    page = Path(done[0].report_path).read_text()
    for title in (
        "Both chambers on one scale",
        "Party spread in both chambers",
        "Does each chamber look as it does alone?",
        "The joint scale beside linked scales",
        "Bills that work differently in the chambers",
    ):
        assert f">{title}<" in page or title in page


def test_a_reflected_chamber_is_found_in_the_chain_that_has_it(done):
    result, joint, _, _ = done
    own = result.trace["posterior"]["xi"].mean(("chain", "draw")).to_numpy()
    trace = result.trace.copy(deep=True)
    xi = trace["posterior"]["xi"].to_numpy().copy()
    xi[1][:, joint.rows["senate"]] *= -1
    turned = trace["posterior"].to_dataset().assign(xi=(("chain", "draw", "legislator"), xi))
    trace["posterior"] = xr.DataTree(turned)
    assert audit(trace, own, joint.chamber_index) == (1,)
    chains = joint_tables(trace, joint, own).chains
    wrong = chains[chains["r"] < 0]
    assert list(zip(wrong["chamber"], wrong["chain"], strict=True)) == [("senate", 1)]


def test_what_the_joint_model_cannot_use_leaves_no_run(done, tmp_path):
    _, joint, settings, _ = done
    before = len(earlier.runs(limit=None))
    folder = tmp_path / "98th"
    write_votes(folder, joint.house, joint.senate)
    path = folder / "98th_rollcalls.csv"
    rollcalls = pd.read_csv(path)
    rollcalls.loc[rollcalls["chamber"] == "Senate", "bill_number"] = [
        f"SB {i}" for i in range((rollcalls["chamber"] == "Senate").sum())
    ]
    rollcalls.to_csv(path, index=False)
    spec = RunSpec(session=str(folder), chamber="both", model="joint", **SHORT)
    with pytest.raises(DataError, match=r"no bill of 98th .*tallgrass link"):
        fit(spec, settings)
    rollcalls[rollcalls["chamber"] == "House"].to_csv(path, index=False)
    with pytest.raises(DataError):
        fit(spec, settings)
    assert len(earlier.runs(limit=None)) == before


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"model": "joint"}, "chamber both"),
        ({"chamber": "both"}, "chamber both"),
        ({"dif": "false"}, "joint model"),
        ({"joint_form": "seed"}, "joint model"),
        ({"chamber": "both", "model": "joint", "coordinates": "textbook"}, "canonical"),
        ({"chamber": "both", "model": "joint", "beta_prior": "normal:0,2"}, "priors of its own"),
    ],
)
def test_parameters_that_do_not_go_together_are_refused(parameters, words):
    with pytest.raises(SpecError, match=words):
        RunSpec(**parameters)


@pytest.mark.slow
def test_the_seed_form_runs_from_the_command_line_and_warns_of_positive_slopes(done, capsys):
    _, _, settings, session = done
    flags = {**SHORT, "session": session, "chamber": "both", "model": "joint"}
    flags |= {"joint_form": "seed", "beta_prior": "lognormal:0,1", "fit_checks": "false"}
    argv = [x for k, v in flags.items() for x in (f"--{k.replace('_', '-')}", str(v))]
    assert main(["run", *argv, "--json", "--tracking-uri", settings.tracking_uri]) == 0
    run_id = json.loads(capsys.readouterr().out)["run_id"]
    logging.getLogger("tallgrass").handlers.clear()
    found = reading.details(run_id)
    report = Path(found["artifact_uri"].removeprefix("file://")) / "report" / "index.html"
    assert "fit the wrong model" in report.read_text()
    assert np.isfinite(found["metrics"]["joint/delta"])


def findings_of(result):
    words = Page(Path(result.report_path).read_text()).words
    return words.split("Key findings")[2].split("What this")[0], words


def test_each_chamber_has_a_median_member_and_both_together_have_none(done):
    result, joint, _, _ = done
    ideal = result.analysis.ideal_points.set_index("slug")
    xi = result.trace["posterior"]["xi"].to_numpy()
    xi = xi.reshape(-1, xi.shape[-1]).T
    for chamber in ("house", "senate"):
        slugs = list(getattr(joint, chamber).slugs)
        of_chamber = xi[joint.rows[chamber]]
        middle = np.median(of_chamber, axis=0)  # 15 members: one of them
        np.testing.assert_allclose(
            ideal.loc[slugs, "p_median"], (of_chamber == middle).mean(axis=1)
        )
        assert (ideal.loc[slugs, "chamber"] == chamber).all()
    findings, _ = findings_of(result)
    assert "The likeliest median member of the House is" in findings
    assert "The likeliest median member of the Senate is" in findings
    assert "The likeliest median member is" not in findings


def test_the_page_of_an_anchored_joint_run_says_what_zero_and_one_are(done):
    _, words = findings_of(done[0])
    assert "zero is halfway between the means of the House's parties" in words
    assert "carry no meaning" not in words


def test_senators_have_open_marks_in_the_picture_of_all_legislators(done):
    result, joint, _, _ = done
    axes = figures(result.analysis)["forest"].axes[0]
    by_face = {"filled": 0, "open": 0}
    for line in axes.lines:
        if line.get_marker() in ("o", "s"):
            face = "open" if line.get_markerfacecolor() == "white" else "filled"
            by_face[face] += len(line.get_xdata())
    assert by_face == {"filled": len(joint.house.slugs), "open": len(joint.senate.slugs)}
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend[-2:] == ["House", "Senate"]


def test_chains_are_held_against_own_runs_only_where_there_are_own_runs(done):
    result = done[0]
    _, words = findings_of(result)
    assert "Chains against the chambers' own runs" in words
    own = result.analysis.prepared.own_fits
    prepared = replace(
        result.analysis.prepared, own_fits=replace(own, run_ids=dict.fromkeys(own.run_ids, ""))
    )
    alone = Page(build(replace(result.analysis, prepared=prepared), {})).words
    assert "Chains against the chambers' PCA scores" in alone
    assert "own fits" not in alone
