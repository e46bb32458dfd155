"""Published scores beside the ideal points of a run: reading, matching, agreement."""

import gzip
import os
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from example_session import write_votes
from example_store import default_store
from needs import missing
from toy import usual_votes

import tallgrass as tg
from tallgrass.errors import DataError, SpecError
from tallgrass.rollcalls.external import compare_scores
from tallgrass.rollcalls.score_files import read_scores
from tallgrass.rollcalls.sources import voteview
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.rollcalls.start import pca_scores
from tallgrass.settings import Settings
from tallgrass.tracking.reading.records import stored_table

DATA = Path(os.environ.get("TALLGRASS_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))


def ideal(**columns):
    table = pd.DataFrame(
        {
            "slug": ["rep_jones_1", "rep_smith_2", "rep_smith_3", "rep_lee_14", "rep_diaz_15"],
            "name": ["Ann Jones", "Bob Smith", "Cy Smith", "Dee Lee", "José Díaz"],
            "party": ["Democrat", "Republican", "Democrat", "Republican", "Republican"],
            "district": ["1", "22", "3", "7", "8"],
            "mean": [-1.0, 1.0, -0.5, 2.0, 0.5],
            "anchor": 0,
        }
    )
    return table.assign(**columns)


def scores(**columns):
    table = {"score": [-2.0, 2.0, -1.0, 4.0, 1.0], "name": "", "party": "", "district": ""}
    return pd.DataFrame(table | {"slug": "", "icpsr": ""} | columns)


@pytest.mark.parametrize(
    ("columns", "how"),
    [
        ({"slug": ["rep_jones_1", "rep_smith_2", "rep_smith_3", "rep_lee_14", "x"]}, "slug"),
        ({"icpsr": ["1", "2.0", "3", "14", "99"]}, "ICPSR"),
        (
            {"name": ["Jones, A.", "Smith, Robert", "Smith", "Lee", "?"],
             "district": ["HD-001", "HD-022", "HD-003", "7", ""]},
            "name and district",
        ),
        ({"name": ["Jones, Ann B.", "Bob Smith Jr.", "SMITH, Cy", "Lee, Dee", "?"]}, "name"),
        (
            {"name": ["Jones, A", "Smith, R", "Smith, C", "Lee, D", "?"],
             "party": ["D", "R", "D", "R", "R"]},
            "last name and party",
        ),
    ],
)  # fmt: skip
def test_people_are_matched_by_what_the_file_has(columns, how):
    found = compare_scores(ideal(), scores(**columns), "file")
    assert found.table["matched_by"].tolist() == [how] * 4
    assert found.table["score"].tolist() == [-2.0, 2.0, -1.0, 4.0]
    assert found.without_score == ("José Díaz",)
    assert len(found.without_member) == 1


def test_two_of_one_name_are_not_matched_by_it():
    named = scores(name=["Jones", "Smith", "Smith", "Lee", "Diaz"], party=["D", "R", "R", "R", "R"])
    found = compare_scores(ideal(), named, "file")
    assert set(found.table["name"]) == {"Ann Jones", "Dee Lee", "José Díaz"}
    assert set(found.without_score) == {"Bob Smith", "Cy Smith"}


def test_the_agreement_is_that_of_the_matched_scores():
    slugs = ["rep_jones_1", "rep_smith_2", "rep_smith_3", "rep_lee_14", "rep_diaz_15"]
    found = compare_scores(ideal(), scores(slug=slugs, score=[-2.0, 5.0, -1.0, 4.0, 1.0]), "s m")
    expected = np.corrcoef([-1, 1, -0.5, 2, 0.5], [-2, 5, -1, 4, 1])[0, 1]
    assert found.metrics["external/s_m/r"] == pytest.approx(expected)
    assert found.metrics["external/s_m/n"] == 5
    republicans = np.corrcoef([1, 2, 0.5], [5, 4, 1])[0, 1]
    assert found.metrics["external/s_m/r_within_republican"] == pytest.approx(republicans)
    assert "external/s_m/r_within_democrat" not in found.metrics  # only two
    assert "external/s_m/r_plane" not in found.metrics
    assert found.table.set_index("slug").loc["rep_smith_2", "rank_change"] == -1


def test_scores_across_a_map_are_held_against_both_axes():
    slugs = ideal()["slug"].tolist()
    on_map = ideal(mean_2=[1.0, -1.0, 0.0, 0.5, 2.0])
    line = (2 * on_map["mean"] - on_map["mean_2"]).tolist()
    found = compare_scores(on_map, scores(slug=slugs, score=line), "file")
    assert found.metrics["external/file/r_plane"] == pytest.approx(1.0)
    assert found.comparison.r < 0.95


def test_scores_are_read_from_the_column_that_is_known_or_named(tmp_path):
    file = tmp_path / "a.csv.gz"
    file.write_bytes(
        gzip.compress(b"chamber;name;dim;np_score\nHouse;A;1;0.5\nSenate;B;2;0.1\nHouse;C;3;\n")
    )
    table = read_scores(file, chamber="house")
    assert table["score"].tolist() == [0.5]
    assert table["name"].tolist() == ["A"]
    assert read_scores(file, "dim")["score"].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("text", "flags", "words"),
    [
        ("name,x,y\nA,1,2\n", {}, "which column holds the scores"),
        ("name,x\nA,b\n", {}, "which column holds the scores"),
        ("name,x\nA,b\n", {"score_column": "x"}, "no numbers in the column x"),
        ("name,x\nA,1\n", {"score_column": "xx"}, "no such score column"),
        ("name,x\nA,1\n", {"name_column": "nam"}, "no such name column"),
        ("", {}, "score"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_clear_error(tmp_path, text, flags, words):
    file = tmp_path / "scores.csv"
    file.write_text(text)
    with pytest.raises(DataError, match=words):
        read_scores(file, **flags)
    with pytest.raises(DataError, match="no such file"):
        read_scores(tmp_path / "none.csv")


def test_a_file_of_other_people_is_refused():
    with pytest.raises(DataError, match="0 of 5 members"):
        compare_scores(ideal(), scores(name=list("abcde")), "file")


def test_shor_and_mccarty_are_matched_with_all_but_a_few_of_kansas():
    file = DATA / "external" / "shor_mccarty_kansas_84th.csv"
    if not file.is_file():
        missing(f"no {file}")
    for chamber, least in (("senate", 39), ("house", 120)):
        votes = tg.load_votes(str(DATA / "kansas" / "84th_2011-2012"), chamber=chamber)
        members = pd.DataFrame(
            {
                "slug": votes.slugs,
                "name": [m.name for m in votes.legislators],
                "party": [m.party for m in votes.legislators],
                "district": [m.district for m in votes.legislators],
                "mean": [2.0 * (m.party == "Republican") - 1 for m in votes.legislators],
                "anchor": 0,
            }
        ).assign(mean=lambda t: t["mean"] + 1e-3 * np.arange(len(t)))
        found = compare_scores(members, read_scores(file, chamber=chamber), "shor_mccarty")
        assert len(found.table) >= least
        # Whoever is matched is in the same party, but for the two whose labels differ.
        sides = np.sign(found.table["ideal_point"])
        assert np.corrcoef(sides, found.table["score"])[0, 1] > 0.6


def test_voteviews_members_file_has_nominate_for_every_senator():
    file = DATA / "voteview" / "S116_votes.csv.gz"
    if not file.is_file():
        missing(f"no {file}")
    votes = tg.load_votes(str(file), chamber="senate")
    people = pd.DataFrame(
        {
            "slug": votes.slugs,
            "name": [m.name for m in votes.legislators],
            "party": [m.party for m in votes.legislators],
            "district": "",
            "mean": pca_scores(votes),
            "anchor": 0,
        }
    )
    found = compare_scores(people, voteview.nominate(file), "nominate")
    assert len(found.table) == len(votes.slugs)
    assert set(found.table["matched_by"]) == {"ICPSR"}
    assert found.comparison.r > 0.9
    assert "TRUMP, Donald John" in found.without_member


@pytest.mark.slow
def test_a_run_is_held_against_a_file_of_scores_and_refuses_one_that_cannot_be_used(tmp_path):
    with default_store(tmp_path) as folder:
        votes = usual_votes()
        write_votes(folder / "91st", votes)
        truth = np.where(votes.party_index == 1, 1.0, -1.0) + 0.1 * np.arange(len(votes.slugs))
        rows = pd.DataFrame({"slug": votes.slugs, "my_score": truth})
        rows.iloc[1:].to_csv(folder / "mine.csv", index=False)
        quick = {"chamber": "house", "draws": 150, "tune": 300, "chains": 2, "session": "91st"}
        quiet = Settings(progress="none")
        result = tg.fit(RunSpec(against="mine.csv", **quick), quiet)
        metrics = mlflow.get_run(result.run_id).data.metrics
        assert metrics["external/mine/n"] == len(votes.slugs) - 1
        assert metrics["external/mine/r"] > 0.8
        assert stored_table(result.run_id, "tables/external.json")["slug"].tolist()[0]
        page = Path(result.report_path).read_text()
        assert "Published scores" in page
        assert f"Members without a score: {votes.legislators[0].name}" in page
        with pytest.raises(DataError, match="no such file of scores"):
            tg.fit(RunSpec(against="none.csv", **quick), quiet)
        assert len(mlflow.search_runs(search_all_experiments=True)) == 1
        found = tg.against(result.run_id, "mine.csv")
        assert found.metrics["external/mine/r"] == pytest.approx(metrics["external/mine/r"], 1e-5)


def test_scores_of_one_session_do_not_go_with_many():
    with pytest.raises(SpecError, match="one session"):
        RunSpec(model="dynamic", against="scores.csv")
