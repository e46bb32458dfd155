"""The job of a month: what changed, what is published, statuses, and its manifests."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from example_store import default_store
from item_data import simulated_items
from postgres import engine_of

from tallgrass.cli import main
from tallgrass.errors import SpecError
from tallgrass.items.changes import changes
from tallgrass.items.monthly import of_month

FOLDER = Path(__file__).parent.parent / "projects" / "calibration"


def items_of(**columns):
    usual = {"a": 1.0, "a_sd": 0.05, "b": 0.0, "b_sd": 0.05}
    return pd.DataFrame(usual | columns)


def test_items_that_moved_weakened_came_and_went_are_told_apart():
    names = ["moved", "noise", "weak", "same", "gone"]
    before = items_of(item=names, b=[0.0, 0.0, 0.0, 0.0, 1.0])
    now = items_of(
        item=["moved", "noise", "weak", "same", "new"], b=[0.5, 0.3, 0.0, 0.0, 1.0],
        b_sd=[0.05, 0.5, 0.05, 0.05, 0.05], a=[1.0, 1.0, 0.85, 1.0, 1.0],
    )  # fmt: skip
    found = changes(before, now, 0.25, 0.2, 0.2).set_index("item")
    assert found["change"].to_dict() == {
        "moved": "moved", "weak": "weaker", "new": "new", "gone": "gone", "noise": "", "same": "",
    }  # fmt: skip
    assert found.loc["moved", "b_change"] == pytest.approx(0.5)
    theta = np.linspace(-8, 8, 2001)
    weight = np.exp(-(theta**2) / 2)

    def information(a):
        p = 1 / (1 + np.exp(-a * theta))
        return (a**2 * p * (1 - p) * weight).sum() / weight.sum()

    expected = information(0.85) / information(1.0) - 1
    assert found.loc["weak", "information_change"] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("2026-02", "2026-02-01", "2026-03-01"),
        ("2026-12", "2026-12-01", "2027-01-01"),
        ("last", "2025-12-01", "2026-01-01"),
    ],
)
def test_a_month_is_its_first_day_until_the_next_first(text, since, until):
    assert of_month(text, date(2026, 1, 31)) == {"since": since, "until": until}


def test_a_month_that_is_none_is_refused():
    with pytest.raises(SpecError, match="bad value for month"):
        of_month("2026-13")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with default_store(tmp_path_factory.mktemp("store")) as folder:
        yield folder


def fill(url, seed, months, harder=None):
    """Answers of a cohort in each month; ``harder`` items are those of the later ones."""
    responses = simulated_items(
        n_users=500, n_items=10, n_anchors=3, per_user=8, seed=seed
    ).responses
    correct = responses.correct.copy()
    if harder is not None:
        flip = np.random.default_rng(1).random(len(correct)) < 0.6
        correct[(responses.item == harder) & flip] = 0
    table = pd.DataFrame(
        {
            "user": [f"{months}-{responses.users[k]}" for k in responses.user],
            "item": [responses.items[k] for k in responses.item],
            "response": correct,
            "time": pd.Timestamp(f"{months}-15"),
        }
    )
    table.to_sql("responses", engine_of(url), index=False, if_exists="append")


def job(url, month, capsys, *flags):
    words = ["monthly", f"--responses={url}", f"--month={month}", "--engines=map,mml"]
    words += ["--min-responses=50", "--fit-checks=false", "--json", "--progress=none", *flags]
    status = main(words)
    return status, json.loads(capsys.readouterr().out)


@pytest.mark.slow
def test_two_months_are_published_and_the_second_says_what_changed(postgres_url, store, capsys):
    fill(postgres_url, 2, "2026-09")
    fill(postgres_url, 2, "2026-10", harder=4)
    status, first = job(postgres_url, "2026-09", capsys, "--publish")
    assert (status, first["published"], first["changes"]) == (0, 10, None)
    status, second = job(postgres_url, "2026-10", capsys, "--publish")
    assert (status, second["published"]) == (0, 10)
    assert [change["item"] for change in second["changes"]] == ["i00004"]
    assert second["changes"][0]["change"] == "moved"
    page = Path(second["report_path"].removeprefix("file://")).read_text("utf-8")
    assert "Item bank, 2026-10-01 to 2026-11-01" in page
    assert "Since the month before: 1 moved" in page
    assert "10 items were published to item_parameters." in page
    with engine_of(postgres_url).connect() as connection:
        found = pd.read_sql("SELECT * FROM item_parameters", connection)
    assert set(found["run_id"]) == {second["engines"]["map"]}


@pytest.mark.slow
def test_statuses_tell_a_scheduler_what_to_do(postgres_url, store, capsys, monkeypatch):
    fill(postgres_url, 2, "2026-09")
    status, answer = job(postgres_url, "2026-08", capsys)
    assert status == 2
    assert "no responses in this window" in answer["error"]
    monkeypatch.setattr("tallgrass.items.engines.climb.MOST_PASSES", 2)
    monkeypatch.setattr("tallgrass.items.engines.marginal.MOST_PASSES", 2)
    status, answer = job(postgres_url, "2026-09", capsys, "--publish")
    assert (status, answer["published"], answer["refused"]) == (3, 0, "the verdict is fail")


def test_the_kubernetes_job_does_not_repeat_what_cannot_succeed():
    job_of = yaml.safe_load((FOLDER / "cronjob.yaml").read_text())
    spec = job_of["spec"]["jobTemplate"]["spec"]
    pod = spec["template"]["spec"]
    assert (job_of["apiVersion"], job_of["kind"]) == ("batch/v1", "CronJob")
    name = pod["containers"][0]["name"]
    codes = {"containerName": name, "operator": "In", "values": [2, 3]}
    assert spec["podFailurePolicy"]["rules"][0] == {"action": "FailJob", "onExitCodes": codes}
    assert pod["restartPolicy"] == "Never"  # as a failure policy needs
    assert job_of["spec"]["concurrencyPolicy"] == "Forbid"
    secret = pod["containers"][0]["env"][0]
    assert secret["name"] == "TALLGRASS_RESPONSES"
    assert "secretKeyRef" in secret["valueFrom"]


@pytest.mark.parametrize("file", ["crontab", "cronjob.yaml"])
def test_the_flags_of_a_schedule_are_flags_of_the_command(file):
    from tallgrass.cli import COMMANDS
    from tallgrass.cli.parser import parse, parser_of, switches_of

    if file == "crontab":
        line = (FOLDER / file).read_text().splitlines()[-1]
        assert line.split()[:5] == ["0", "3", "2", "*", "*"]
        words = line.split("tallgrass monthly ")[1].split()
    else:
        job_of = yaml.safe_load((FOLDER / file).read_text())
        container = job_of["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
        assert container["command"] == ["tallgrass", "monthly"]
        words = container["args"]
    command = COMMANDS["monthly"]
    parser = parser_of("monthly", command)
    given = parse(parser, words, switches_of(command))
    assert given.options["month"] == "last"
    assert given.run["publish"] == "true"
