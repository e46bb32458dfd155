"""Data to play with: what is written is what was simulated, whole or not at all."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tallgrass.cli import main
from tallgrass.errors import SpecError
from tallgrass.items.example_data import example_bank
from tallgrass.lab import examples
from tallgrass.lab.examples import EXAMPLES, write_example
from tallgrass.rollcalls.example_data import SESSIONS, example_sessions
from tallgrass.rollcalls.sources import load_votes


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_votes_written_are_read_back_as_they_were_simulated(folder: Path) -> None:
    write_example("kansas-like", folder / "data", seed=3)

    for session, chambers in example_sessions(3).items():
        for chamber, votes in chambers.items():
            read = load_votes(str(folder / "data" / session), chamber)
            assert read.fingerprint == votes.fingerprint
            assert [r.title for r in read.rollcalls] == [r.title for r in votes.rollcalls]


def test_members_return_under_their_slugs_and_a_quarter_is_new() -> None:
    sessions = [chambers["house"] for chambers in example_sessions().values()]
    new = [
        1 - len({*before.slugs} & {*after.slugs}) / len(after.slugs)
        for before, after in pairwise(sessions)
    ]

    assert len(sessions) == len(SESSIONS)
    # Each seat is free with probability 0.25: 125 of them have a standard error of 0.039.
    assert new == pytest.approx([0.25, 0.25], abs=0.12)


def test_the_first_eigenvector_of_agreement_is_the_line_between_the_parties() -> None:
    house = example_sessions()[SESSIONS[-1]]["house"]
    agreement = np.corrcoef(house.cells.astype(float))
    first = np.linalg.eigh(agreement)[1][:, -1]
    party = np.array([member.party == "Republican" for member in house.legislators])

    assert abs(np.corrcoef(first, party)[0, 1]) > 0.9


def test_the_bank_has_an_anchor_that_became_harder_and_an_abler_cohort() -> None:
    answers, anchors, _ = example_bank()
    share = answers.groupby("item")["response"].mean()[anchors["item"]].to_numpy()
    theta = np.random.default_rng(1).normal(0.4, 1, 20_000)
    p = 1 / (1 + np.exp(-anchors["a"].to_numpy() * (theta[:, None] - anchors["b"].to_numpy())))
    off = share - p.mean(axis=0)

    # About 750 answers an item: the standard error of a share is below 0.02.
    assert np.sum(np.abs(off) > 0.08) == 1
    assert off.min() < -0.08


def test_an_example_that_cannot_be_written_whole_leaves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full)

    with pytest.raises(SpecError, match="No space left"):
        write_example("item-bank", folder / "bank")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["kansas"], "unknown example: received 'kansas'. did you mean kansas-like?"),
        (["item-bank", "--folder=full"], "the folder holds something already: received 'full'"),
        (["item-bank", "--folder=file"], "the folder holds something already: received 'file'"),
        (["item-bank", "--seed=x"], "bad value for seed"),
        (["--seed=1"], "name one: kansas-like, item-bank"),
        (["item-bank", "more"], "example takes one example"),
    ],
)
def test_what_the_user_can_mend_is_one_line_and_status_2(
    words: list[str], expected: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "file").write_text("")
    (folder / "full").mkdir()
    (folder / "full" / "mine").write_text("kept")

    assert main(["example", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert expected in err
    assert sorted(path.name for path in folder.iterdir()) == ["file", "full"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_command_says_what_to_try_with_the_files_it_wrote(
    name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["example", name, "--folder", "my data"]) == 0

    out = capsys.readouterr().out
    assert "my data" in out
    assert len(list((folder / "my data").rglob("*.csv*"))) == (9 if name == "kansas-like" else 3)


def test_equal_seeds_give_equal_files_and_others_others(folder: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        examples.write_example("item-bank", folder / name, seed)
    a, b, c = ((folder / name / "answers.csv").read_bytes() for name in "abc")

    assert a == b
    assert a != c
