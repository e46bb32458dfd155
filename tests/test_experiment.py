"""Declarations of experiments: reading, expanding, and what their expectations decide."""

from pathlib import Path

import pandas as pd
import pytest
from mlflow.projects._project_spec import load_project

from tallgrass.errors import DataError, SpecError
from tallgrass.experiment import Experiment, expand, overridden, read_experiment
from tallgrass.experiment.expectations import answer, read_expectation
from tallgrass.rollcalls.spec import RunSpec

ROOT = Path(__file__).parent.parent
PROJECTS = sorted(path.parent for path in (ROOT / "projects").glob("*/experiment.toml"))
QUESTION = 'question = "Which?"\n'


def read(folder, text):
    (folder / "experiment.toml").write_text(text, encoding="utf-8")
    return read_experiment(folder)


@pytest.fixture
def sessions(write_session):
    return write_session("91st_2025-2026").parent


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
def test_every_project_is_short_and_its_experiment_can_be_expanded(project, sessions):
    assert len((project / "experiment.toml").read_text().splitlines()) <= 25
    experiment = read_experiment(project)
    planned = expand(experiment, sessions)
    assert len(planned) >= 2
    assert len({run.label for run in planned}) == len(planned)
    # a run that is compared with another stands behind it
    keys = [run.key for run in planned]
    assert all(keys.index(r.baseline) < keys.index(r.key) for r in planned if r.baseline)


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
def test_the_mlproject_of_every_project_runs_that_project(project):
    entry = load_project(str(project)).get_entry_point("main")
    command = entry.compute_command({}, None)
    assert command.startswith(f"cd ../.. && python -m tallgrass experiment projects/{project.name}")
    declared = {name: str(parameter.default) for name, parameter in entry.parameters.items()}
    assert declared == {"data_dir": "data", "scheduler": "", "workers": "0", "resume": "false"}


def test_the_matrix_is_every_combination_and_extra_runs_stand_beside_it(tmp_path):
    text = QUESTION + '[hold]\ndraws = 100\n[vary]\nchamber = ["senate", "house"]\n'
    text += 'init = ["pca", "none"]\n[[extra]]\nmodel = "flat"\n'
    planned = expand(read(tmp_path, text), tmp_path)
    chosen = [(r.spec.chamber, r.spec.init, r.spec.model, r.spec.draws) for r in planned]
    assert chosen == [
        ("senate", "pca", "hierarchical", 100),
        ("senate", "none", "hierarchical", 100),
        ("house", "pca", "hierarchical", 100),
        ("house", "none", "hierarchical", 100),
        ("senate", "pca", "flat", 100),
    ]
    assert [run.label for run in planned][:2] == [
        "sample senate hierarchical pca start",
        "sample senate hierarchical no start",
    ]


def test_a_run_that_is_named_twice_is_made_once(tmp_path):
    text = QUESTION + '[vary]\ninit = ["pca", "none"]\n[[extra]]\ninit = "none"\n'
    assert len(expand(read(tmp_path, text), tmp_path)) == 2


def test_every_field_of_a_run_can_be_held_and_varied(tmp_path):
    for name, field in RunSpec.model_fields.items():
        held = Experiment("one", "Which?", hold={name: field.default})
        varied = Experiment("one", "Which?", vary={name: [field.default]})
        if name == "baseline":
            continue
        assert expand(held, tmp_path)[0].spec == RunSpec(**{name: field.default})
        assert expand(varied, tmp_path)[0].spec == RunSpec(**{name: field.default})


def test_a_pattern_stands_for_every_session_of_the_data_folder(write_session, sessions):
    write_session("84th_2011-2012")
    planned = expand(Experiment("all", "?", vary={"session": ["*"]}), sessions)
    assert [run.spec.session for run in planned] == ["84th_2011-2012", "91st_2025-2026"]
    planned = expand(Experiment("all", "?", vary={"session": ["84th*"]}), sessions)
    assert [run.spec.session for run in planned] == ["84th_2011-2012"]
    planned = expand(Experiment("all", "?", vary={"session": [f"{sessions}/8*"]}), Path("data"))
    assert [Path(run.spec.session).name for run in planned] == ["84th_2011-2012"]


def test_a_pattern_without_a_session_says_where_it_looked(tmp_path):
    with pytest.raises(DataError, match=r"no session fits the pattern.*--data-dir"):
        expand(Experiment("all", "?", vary={"session": ["*"]}), tmp_path)


def test_a_run_is_compared_with_the_most_alike_run_that_is_the_baseline(tmp_path):
    experiment = Experiment(
        "which",
        "?",
        vary={"model": ["flat", "hierarchical"], "sampler": ["pymc", "nutpie"]},
        baseline={"sampler": "pymc"},
    )
    planned = {run.key: run for run in expand(experiment, tmp_path)}
    pairs = {
        (run.spec.model, run.spec.sampler): planned[run.baseline].spec.model
        for run in planned.values()
        if run.baseline
    }
    assert pairs == {("flat", "nutpie"): "flat", ("hierarchical", "nutpie"): "hierarchical"}


def test_a_baseline_that_is_no_run_of_the_experiment_is_refused(tmp_path):
    experiment = Experiment("which", "?", hold={"seed": 1}, baseline={"sampler": "pymc"})
    with pytest.raises(SpecError, match=r"no run of the experiment is the baseline.*'pymc'"):
        expand(experiment, tmp_path)


def test_flags_hold_a_parameter_in_every_run(tmp_path):
    experiment = Experiment(
        "which", "?", vary={"init": ["pca", "none"], "draws": [10, 20]}, extra=({"draws": 30},)
    )
    planned = expand(overridden(experiment, {"draws": 5}), tmp_path)
    assert [(run.spec.init, run.spec.draws) for run in planned] == [("pca", 5), ("none", 5)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('questoin = "?"', "'questoin'. did you mean question"),
        (QUESTION + "[hold]\nchambre = 'house'", "'hold.chambre'. did you mean chamber"),
        (QUESTION + "[vary]\nbeta_priors = ['x']", "'vary.beta_priors'. did you mean beta_prior"),
        (QUESTION + "[[extra]]\nseeds = 1", "'extra.seeds'. did you mean seed"),
        (QUESTION + "[thresholds]\nrhatt = 1", "'thresholds.rhatt'. did you mean rhat"),
        (QUESTION + "[baseline]\nsampeler = 'x'", "'baseline.sampeler'. did you mean sampler"),
        (QUESTION + "[[expect]]\nverdikt = 'pass'", "'expect.verdikt'. did you mean verdict"),
        (QUESTION + "[[expect]]\nverdict = 'good'", "expect.verdict: unknown verdict"),
        (QUESTION + "[[expect]]\nfit = 'good'", "expect.fit: unknown fit"),
        (QUESTION + "[[expect]]\nabs_r = 'high'", "expect.abs_r: unknown condition"),
        (QUESTION + "[[expect]]\nchamber = 'house'", "states nothing"),
        (QUESTION + "[vary]\ninit = 'pca'", "vary.init: a list"),
        (QUESTION + "[hold]\ninit = 'pca'\n[vary]\ninit = ['none']", "both held and varied"),
        ("[hold]\ninit = 'pca'", "without its question"),
        ("question = ", "cannot read the experiment"),
    ],
)
def test_what_cannot_be_used_is_named_with_the_nearest_known_word(tmp_path, text, words):
    with pytest.raises(SpecError) as raised:
        read(tmp_path, text)
    assert words in str(raised.value)


def test_a_folder_without_an_experiment_says_what_is_missing(tmp_path):
    with pytest.raises(SpecError, match=r"no experiment here.*experiment\.toml"):
        read_experiment(tmp_path)


@pytest.mark.parametrize("text", [QUESTION, QUESTION + "[vary]\ninit = []\nseed = [1, 2]\n"])
def test_an_empty_matrix_is_refused(tmp_path, text):
    with pytest.raises(SpecError, match="without runs"):
        expand(read(tmp_path, text), tmp_path)


def test_a_matrix_of_more_than_ten_thousand_runs_asks_whether_it_is_meant(tmp_path):
    vary = {"seed": list(range(101)), "draws": list(range(10, 111))}
    with pytest.raises(SpecError, match=r"10,000 runs: received 10201\. add --yes"):
        expand(Experiment("many", "?", vary=vary), tmp_path)
    vary = {"seed": list(range(10_001))}
    assert len(expand(Experiment("many", "?", vary=vary), tmp_path, allow_many=True)) == 10_001


def test_a_value_that_a_run_cannot_have_ends_before_anything_starts(tmp_path):
    with pytest.raises(SpecError, match="bad value for chamber"):
        expand(Experiment("one", "?", vary={"chamber": ["lords"]}), tmp_path)


RUNS = pd.DataFrame(
    {
        "label": ["pca", "none", "lost"],
        "init": ["pca", "none", "none"],
        "finished": [True, True, False],
        "verdict": ["pass", "fail", None],
        "baseline_run_id": [None, "a", None],
        "fit": ["fits", None, None],
        "baseline/r_within_min": [float("nan"), 0.26, float("nan")],
        "rhat_max": [1.002, 1.5, float("nan")],
        "ess/per_second": [100.0, 10.0, float("nan")],
    },
    index=["a", "b", "c"],
)


@pytest.mark.parametrize(
    ("expected", "holds", "why"),
    [
        ({"init": "pca", "verdict": "pass"}, "yes", ()),
        ({"verdict": "pass"}, "no", ("none: verdict fail",)),
        ({"init": "none", "verdict": "fail"}, "open", ("lost: did not finish",)),
        ({"init": ["pca"], "rhat_max": "< 1.01"}, "yes", ()),
        ({"init": "house", "verdict": "pass"}, "open", ("no run has these parameters",)),
        ({"init": "pca", "ess_min": "> 1"}, "open", ("pca: no ess_min",)),
        ({"rhat_max": "< 1.01"}, "no", ("none: rhat_max 1.5, not < 1.01",)),
        ({"init": "pca", "fit": "fits"}, "yes", ()),
        ({"init": "pca", "fit": "questioned"}, "no", ("pca: fit fits",)),
        ({"fit": "fits"}, "open", ("none: no fit", "lost: did not finish")),
        (
            {"init": "none", "baseline/r_within_min": "> 0.9"},
            "no",
            ("none: baseline/r_within_min 0.26, not > 0.9",),
        ),
    ],
)
def test_an_expectation_is_decided_by_the_runs_it_speaks_of(expected, holds, why):
    (decided,) = answer([read_expectation(expected)], RUNS)
    assert decided.holds == holds
    assert decided.reasons == why


def test_a_condition_may_be_about_the_baseline():
    other = RUNS.drop(index="c")
    slower = read_expectation({"init": "none", "ess/per_second": "< 0.2 * baseline"})
    faster = read_expectation({"init": "none", "ess/per_second": "> baseline"})
    assert [one.holds for one in answer([slower, faster], other)] == ["yes", "no"]
