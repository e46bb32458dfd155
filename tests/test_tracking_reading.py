import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from example_store import DATA, bare_folder, default_store, made_run
from example_trace import example_spec, example_trace, example_votes

from tallgrass.errors import SpecError, TrackingError
from tallgrass.rollcalls import earlier
from tallgrass.rollcalls.identity import Identity
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.tracking import reading
from tallgrass.tracking.reading.searching import search
from tallgrass.tracking.writing import start_run


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A store with a few runs, and their ids by what they are."""
    with default_store(tmp_path_factory.mktemp("store")) as folder:
        ids = {
            "senate": made_run(draws=500, target_accept=0.9, strict=True),
            "house": made_run(chamber="house", verdict="fail", session="data/kansas/91st"),
            "flat": made_run("flat", metrics={"rhat_max": 1.2, "ess_min": 7.0}),
            "pymc": made_run(sampler="pymc"),
        }
        client = mlflow.MlflowClient()
        client.create_run("0", tags={"owner": "another program"})
        with start_run("second experiment", "elsewhere") as elsewhere:
            ids["elsewhere"] = elsewhere.run_id
        yield folder, ids


@pytest.fixture
def ids(filled, monkeypatch):
    folder, found = filled
    monkeypatch.chdir(folder)
    return found


@pytest.fixture
def store(tmp_path):
    with default_store(tmp_path):
        yield tmp_path


def test_every_run_of_ours_is_one_row_the_newest_first_and_no_others(ids):
    table = earlier.runs()
    assert list(table["run_id"]) == list(ids.values())[::-1]


def test_columns_have_the_types_of_what_they_hold(ids):
    table = earlier.runs()
    row = table.set_index("run_id").loc[ids["senate"]]
    assert str(table["start_time"].dt.tz) == "UTC"
    assert abs(row["start_time"] - datetime.now(UTC)) < timedelta(minutes=10)
    assert {name: str(table[name].dtype) for name in table if name in _CHECKED} == {
        "draws": "Int64",
        "target_accept": "float64",
        "strict": "boolean",
        "rhat_max": "float64",
        "divergences": "Int64",
        "promoted": "bool",
        "verdict": "str",
    }
    assert (row["draws"], row["target_accept"], row["rhat_max"]) == (500, 0.9, 1.003)
    assert row["strict"]
    assert pd.isna(table.set_index("run_id").loc[ids["house"], "draws"])


_CHECKED = {"draws", "target_accept", "strict", "rhat_max", "divergences", "promoted", "verdict"}


def test_every_parameter_of_a_run_is_a_column(ids):
    assert set(RunSpec.model_fields) <= set(earlier.runs().columns)


def test_an_empty_store_gives_an_empty_table_with_the_same_columns(store, filled):
    table = earlier.runs()
    assert table.empty
    assert {"run_id", "verdict", "draws"} <= set(table.columns)
    assert str(table["draws"].dtype) == "Int64"


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"chamber": "house"}, ["house"]),
        ({"verdict": "pass", "model": "hierarchical"}, ["pymc", "senate"]),
        ({"sampler": "pymc"}, ["pymc"]),
        ({"draws": 500}, ["senate"]),
        ({"strict": True}, ["senate"]),
        ({"filter": "metrics.rhat_max > 1.1"}, ["flat"]),
        ({"experiment": "second experiment"}, ["elsewhere"]),
        ({"session": "/elsewhere/kansas/91st"}, ["house"]),
        ({"status": "finished", "limit": 2}, ["elsewhere", "pymc"]),
        ({"chamber": "it's"}, []),
        ({"chamber": None, "sampler": "pymc"}, ["pymc"]),
    ],
)
def test_filters_narrow_the_table(ids, filters, expected):
    assert list(earlier.runs(**filters)["run_id"]) == [ids[name] for name in expected]


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ({"chambre": "house"}, "did you mean chamber"),
        ({"status": "done"}, "unknown status"),
        ({"experiment": "tallgras"}, "did you mean tallgrass"),
        ({"filter": "rhat below 1"}, "bad filter"),
        ({"model": "a'b\"c"}, "both kinds of quotes"),
    ],
)
def test_a_filter_that_cannot_be_used_is_an_error_with_help(ids, filters, words):
    with pytest.raises(TrackingError, match=words):
        earlier.runs(**filters)


def test_more_runs_than_a_page_are_all_found(store):
    made = [made_run() for _ in range(5)]
    assert [run.info.run_id for run in search([], page_size=2)] == made[::-1]


def test_a_run_is_found_by_the_beginning_of_its_id(ids):
    for run_id in ids.values():
        assert reading.find_run(run_id) == run_id
        assert reading.find_run(run_id[:12]) == run_id


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0" * 32, "unknown run"),
        ("0000000", "unknown run"),
        ("abc", "not a run id"),
        ("x' OR '1'='1", "not a run id"),
    ],
)
def test_an_unknown_run_is_an_error_that_says_where_to_look(ids, text, words):
    with pytest.raises(TrackingError, match=words) as caught:
        reading.find_run(text)
    assert caught.value.mend


def test_a_beginning_that_two_runs_share_is_refused(store):
    pair = {made_run(): "cafe0" + 27 * "1", made_run(): "cafe0" + 27 * "2"}
    # MLflow draws the ids; only its database can be made to hold two that begin alike.
    with closing(sqlite3.connect("mlflow.db")) as database, database:
        for drawn, wanted in pair.items():
            for table in ("runs", "tags", "params", "metrics", "latest_metrics"):
                database.execute(
                    f"UPDATE {table} SET run_uuid = ? WHERE run_uuid = ?", (wanted, drawn)
                )
    assert reading.find_run("cafe01") == "cafe0" + 27 * "1"
    with pytest.raises(TrackingError, match=r"more than one run.* cafe0\d+ or cafe0\d+"):
        reading.find_run("cafe")


def test_a_deleted_run_says_how_to_restore_it(store):
    run_id = made_run()
    mlflow.MlflowClient().delete_run(run_id)
    with pytest.raises(TrackingError, match="mlflow runs restore"):
        reading.find_run(run_id)


@pytest.fixture
def sampled(store, tmp_path):
    """A run with a trace, a spec and a table of ideal points."""
    votes, truth = example_votes(n_legislators=6, n_rollcalls=5)
    example_trace(votes, truth, draws=20).to_netcdf(tmp_path / "idata.nc", engine="h5netcdf")
    table = pd.DataFrame({"slug": ["=a", "b"], "district": ["001", "12"], "mean": [0.5, None]})
    with start_run(None, "x") as run:
        run.log_artifact(tmp_path / "idata.nc", "trace")
        run.log_text(example_spec(chamber="house").to_json(), "spec/run.json")
        run.log_table(table, "tables/ideal_points")
    (tmp_path / "idata.nc").unlink()
    return run.run_id


def test_a_trace_comes_back_whole_and_in_memory_with_its_run_id(sampled):
    votes, truth = example_votes(n_legislators=6, n_rollcalls=5)
    expected = example_trace(votes, truth, draws=20)
    trace = reading.load_trace(sampled[:10])
    assert trace.attrs["run_id"] == sampled
    assert set(trace.groups) == set(expected.groups)
    assert expected["posterior"].to_dataset().equals(trace["posterior"].to_dataset())
    assert list(trace["posterior"]["legislator"].values) == list(votes.slugs)


def test_the_spec_of_a_run_comes_back_equal(sampled):
    assert earlier.rerun_spec(sampled) == example_spec(chamber="house")


def test_ideal_points_come_back_as_they_were_stored(sampled):
    table = earlier.ideal_points(sampled)
    assert list(table["slug"]) == ["=a", "b"]
    assert list(table["district"]) == ["001", "12"]
    assert table["mean"].isna().tolist() == [False, True]


@pytest.mark.parametrize("read", [reading.load_trace, earlier.rerun_spec, earlier.ideal_points])
def test_a_run_without_the_artifact_is_an_error_with_its_status(store, read):
    with pytest.raises(TrackingError, match="which is FINISHED"):
        read(made_run())


@pytest.mark.faults
def test_a_trace_that_is_half_written_is_an_error(store, tmp_path):
    (tmp_path / "idata.nc").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with start_run(None, "x") as run:
        run.log_artifact(tmp_path / "idata.nc", "trace")
    with pytest.raises(TrackingError, match="cannot read the trace"):
        reading.load_trace(run.run_id)


def test_a_spec_of_another_version_is_an_error_that_names_the_field(store):
    with start_run(None, "x") as run:
        run.log_text(json.dumps({"warp": 9}), "spec/run.json")
    with pytest.raises(SpecError, match="warp"):
        earlier.rerun_spec(run.run_id)


def test_details_hold_everything_but_mlflows_own_tags(sampled):
    found = reading.details(sampled)
    assert found["status"] == "FINISHED"
    assert "tables/ideal_points.csv" in found["artifacts"]
    assert not [name for name in found["tags"] if name.startswith("mlflow.")]
    assert found["start_time"].tzinfo is UTC


def test_without_another_method_there_is_no_baseline(store):
    made_run()
    assert earlier.find_baseline(Identity(DATA), RunSpec()) is None


def test_the_newest_passing_run_with_another_sampler_or_model_is_the_baseline(store):
    made_run("flat")
    newest = made_run(sampler="pymc")
    made_run("flat", verdict="fail")
    made_run("flat", data="e" * 64)
    made_run()
    assert earlier.find_baseline(Identity(DATA), RunSpec()) == newest


def test_a_run_of_as_many_dimensions_comes_before_a_newer_one_of_others(store):
    plane = made_run(dims=2)
    assert earlier.find_baseline(Identity(DATA), RunSpec()) == plane
    line = made_run("flat")
    newer = made_run(dims=2)
    assert earlier.find_baseline(Identity(DATA), RunSpec()) == line
    assert earlier.find_baseline(Identity(DATA), RunSpec(dims=2)) == line
    assert newer != plane
    assert earlier.find_flat(Identity(DATA)) == line


def test_agreement_with_a_baseline_of_other_dimensions_is_shown_and_not_judged(store):
    line = made_run()
    rows = []
    for dims in (1, 2):
        run_id = made_run(
            sampler="pymc", dims=dims, tags={"baseline.run_id": line}, metrics={"abs_r": 0.5}
        )
        table = reading.compare([line, run_id])
        mine = (table["run_id"] == run_id) & (table["measure"] == "|r| vs baseline")
        rows.append(table[mine].iloc[0])
    assert [row["text"] for row in rows] == ["0.5000", "0.5000"]
    assert rows[0]["passed"] == False  # noqa: E712 - a boolean of pandas
    assert rows[1].isna()["passed"]


def test_the_newest_promoted_run_on_the_same_data_comes_before_all_others(store):
    first, second = made_run(), made_run(verdict="fail")
    made_run(sampler="pymc")
    reading.promote(second)
    assert earlier.find_baseline(Identity(DATA), RunSpec()) == second
    reading.promote(first)
    assert earlier.find_baseline(Identity(DATA), RunSpec()) == second
    assert earlier.find_baseline(Identity("e" * 64), RunSpec()) is None
    assert list(earlier.runs()["promoted"]) == [False, True, True]


def test_a_run_of_version_0_1_is_the_baseline_where_its_parties_are_those_of_the_data(store):
    made_run("flat", data="f" * 64)  # without a table, so nothing says which parties it saw
    parties = pd.DataFrame({"slug": ["a", "b"], "party": ["Democrat", ""]})
    with start_run(None, "newer") as run:  # on the same votes, with another party
        run.log_params({"sampler": "pymc", "model": "flat"})
        run.set_tags({"data.sha256": "f" * 64, "verdict": "pass"})
        run.log_table(parties.replace("Democrat", "Republican"), "tables/ideal_points")
    with start_run(None, "older") as run:
        run.log_params({"sampler": "pymc", "model": "flat"})
        run.set_tags({"data.sha256": "f" * 64, "verdict": "pass"})
        run.log_table(parties, "tables/ideal_points")
    same = Identity("d" * 64, former="f" * 64, parties={"a": "Democrat", "b": ""})
    assert earlier.find_baseline(same, RunSpec()) == run.run_id
    none = Identity("d" * 64, former="f" * 64, parties={"a": "Democrat", "b": "Republican"})
    assert earlier.find_baseline(none, RunSpec()) is None


def test_a_run_that_did_not_finish_is_no_baseline(store):
    with pytest.raises(KeyboardInterrupt), start_run(None, "x") as run:
        raise KeyboardInterrupt
    with pytest.raises(TrackingError, match="KILLED"):
        reading.promote(run.run_id)


def test_the_run_in_progress_is_never_its_own_baseline(store):
    with start_run(None, "x") as run:
        run.log_params({"sampler": "pymc", "model": "flat"})
        run.set_tags({"data.sha256": DATA, "verdict": "pass", "baseline": "true"})
        assert earlier.find_baseline(Identity(DATA), RunSpec()) is None


def test_the_flat_run_is_the_newest_that_passed(store):
    made_run("flat")
    newest = made_run("flat")
    made_run("flat", verdict="fail")
    made_run()
    assert earlier.find_flat(Identity(DATA)) == newest
    assert earlier.find_flat(Identity("e" * 64)) is None


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """A flat run, and a hierarchical run that was compared with it and fails in one place."""
    with default_store(tmp_path_factory.mktemp("compared")):
        good = {"rhat_max": 1.0036, "ess_min": 1950, "divergences": 0, "sampling_s": 112.8}
        bad = {"rhat_max": 1.532, "ess_min": 7, "divergences": 0, "abs_r": 0.9762}
        flat = made_run("flat", metrics=good)
        tags = {"baseline.run_id": flat, "sign_flip": "true"}
        hierarchical = made_run(metrics=bad, verdict="fail", tags=tags)
        yield reading.compare([flat, hierarchical[:10]]), flat, hierarchical


def test_a_comparison_has_values_thresholds_and_what_passes(compared):
    table, flat, hierarchical = compared
    rows = table.set_index(["measure", "run_id"])
    assert rows.loc[("R-hat max", flat), ["relation", "threshold", "value", "passed"]].tolist() == [
        "<",
        1.01,
        1.0036,
        True,
    ]
    assert not rows.loc[("ESS bulk min", hierarchical), "passed"]
    assert rows.loc[("Divergences", hierarchical), "passed"]
    assert pd.isna(rows.loc[("Sample time", flat), "passed"])
    assert "R-hat(beta) max" not in set(table["measure"])


def test_a_comparison_side_by_side_has_a_row_a_measure_and_a_column_a_run(compared):
    table, flat, hierarchical = compared
    wide = reading.side_by_side(table)
    names = [
        f"senate {m} nutpie pca {i[:8]}"
        for m, i in (("flat", flat), ("hierarchical", hierarchical))
    ]
    assert wide.columns.tolist() == ["passes", *names]
    assert wide.loc["R-hat max"].tolist() == ["< 1.01", "1.0036", "1.5320"]
    assert wide.index.tolist() == list(dict.fromkeys(table["measure"]))


def test_agreement_with_a_baseline_of_another_model_has_the_threshold_across_models(compared):
    table, flat, hierarchical = compared
    rows = table.set_index(["measure", "run_id"])
    assert rows.loc[("|r| vs baseline", hierarchical), ["threshold", "passed"]].tolist() == [
        0.9,
        True,
    ]
    assert pd.isna(rows.loc[("|r| vs baseline", flat), "threshold"])


def test_thresholds_that_were_set_decide_what_passes(compared):
    from tallgrass.inference.diagnostics import Thresholds

    _, flat, _ = compared
    table = reading.compare([flat], Thresholds(ess=5000)).set_index("measure")
    assert not table.loc["ESS bulk min", "passed"]


def test_the_markdown_table_is_that_of_the_earlier_experiments_with_passing_values_bold(compared):
    table, flat, hierarchical = compared
    expected = f"""\
Values in **bold** pass the threshold.

| Metric | Passing value | senate flat nutpie pca ({flat[:8]}) | \
senate hierarchical nutpie pca ({hierarchical[:8]}) |
|---|---|---|---|
| R-hat max | < 1.01 | **1.0036** | 1.5320 |
| ESS bulk min | > 400 | **1,950** | 7 |
| Divergences | = 0 | **0** | **0** |
| \\|r\\| vs baseline | > 0.9 | — | **0.9762** |
| Sample time | — | 112.8s | — |
| Sign flip | — | — | Yes |
| Verdict | — | **PASS** | FAIL |
"""
    assert reading.markdown(table) == expected


def test_who_moved_most_against_the_baseline_is_named(store):
    moved = made_run(tags={"baseline.moved_most": "Ann Lee, from rank 1 to 30"})
    other = made_run()
    rows = reading.compare([moved, other]).set_index(["measure", "run_id"])["text"]
    assert rows["Moved most, vs baseline", moved] == "Ann Lee, from rank 1 to 30"
    assert rows["Moved most, vs baseline", other] == "\N{EM DASH}"


def test_a_name_cannot_break_the_markdown_table(store):
    with start_run(None, "a | b\n<script>") as run:
        pass
    lines = reading.markdown(reading.compare([run.run_id])).splitlines()
    assert lines[2].startswith("| Metric | Passing value | a \\| b &lt;script> (")
    assert len({line.replace("\\|", "").count("|") for line in lines[2:]}) == 1


def test_comparing_nothing_or_an_unknown_run_is_an_error(store):
    with pytest.raises(TrackingError, match="no run to compare"):
        reading.compare([])
    with pytest.raises(TrackingError, match="unknown run"):
        reading.compare(["0" * 32])


def test_reading_meets_the_same_check_of_the_store_as_writing(tmp_path):
    with bare_folder(tmp_path):
        Path("mlruns/0").mkdir(parents=True)
        Path("mlruns/0/meta.yaml").touch()
        with pytest.raises(TrackingError, match="old MLflow file store"):
            earlier.runs()


def test_elpd_and_ess_a_second_are_columns_that_a_query_can_name(store):
    made_run(metrics={"fit/elpd_loo": -120.5, "ess/per_second": 33.0})
    made_run(metrics={"fit/elpd_loo": -100.5})
    table = earlier.runs().query("elpd_loo < -110")
    assert list(table["ess_per_second"]) == [33.0]
