import json
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from tallgrass.cli import main
from tallgrass.lab import sbc
from tallgrass.rollcalls.spec import ModelSpec

SMALL = ["--check=20", "--model=flat", "--legislators=10", "--rollcalls=30", "--seed=1"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--check=19"], "check: received '19'. use a whole number from 20"),
        (["--check=many"], "check"),
        (["--check=20", "--legislators=7"], "legislators: received '7'"),
        (["--check=20", "--rollcalls=9"], "rollcalls: received '9'"),
        (["--check=20", "--seed=-1"], "seed"),
        (["--check=20", "--model=joint"], "model"),
        (["--check=20", "--beta-prior=cauchy:0,1"], "beta_prior"),
        (["--check=20", "--mu-prior=halfnormal:1"], "mu_prior"),
        (["--check=20", "--progress=dance"], "progress"),
        (["--check=20", "a", "b"], "simulate takes one folder"),
        (["--check=20", "--house-members=30"], "house_members is of no use here"),
        (["new", "--model=flat"], "add --check N"),
        (["file", "--check=20"], "cannot write the folder: received 'file'"),
        (["full", "--check=20"], "the folder holds something already: received 'full'"),
        (["file"], "cannot write the folder: received 'file'"),
    ],
)
def test_what_the_user_can_mend_is_one_line_and_status_2(
    words: list[str], expected: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "file").write_text("")
    (folder / "full").mkdir()
    (folder / "full" / "mine").write_text("kept")

    assert main(["simulate", *words]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("tallgrass: error: ")
    assert err.count("\n") == 1
    assert expected in err
    assert sorted(path.name for path in folder.iterdir()) == ["file", "full"]


def test_a_check_writes_its_table_its_ranks_and_a_picture_and_prints_one_object(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["simulate", *SMALL, "--json"]) == 0

    out, err = capfd.readouterr()
    answer = json.loads(out)
    made = folder / "calibration-flat"
    assert answer["calibrated"] is True
    assert answer["spec"] == ModelSpec(model="flat").model_dump()
    assert [row["variable"] for row in answer["table"]] == ["xi", "alpha", "beta", "log_likelihood"]
    assert [folder / name for name in answer["files"]] == [
        made / name for name in ("calibration.csv", "ranks.csv", "calibration.png")
    ]
    assert len(pd.read_csv(made / "ranks.csv")) == 20 * 69
    assert list(pd.read_csv(made / "calibration.csv")["parameters"]) == [8, 30, 30, 1]
    assert (made / "calibration.png").read_bytes().startswith(b"\x89PNG")
    assert err.splitlines()[-1] == "20 of 20 legislatures"


def test_a_rejected_check_is_status_3_and_says_what_is_wrong(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # The fitted prior of the difficulties is far narrower than the one they are drawn from.
    wrong = partial(sbc.check_calibration, truth=ModelSpec(model="flat"))
    monkeypatch.setattr(sbc, "check_calibration", wrong)

    words = [*SMALL, "--alpha-prior=normal:0,1", "--progress=none"]
    assert main(["simulate", "found", *words]) == 3

    out, err = capsys.readouterr()
    lines = [line.split() for line in out.splitlines()]
    assert [line[-1] for line in lines if line and line[0] == "alpha"] == ["FAIL"]
    assert "Not calibrated: 20 legislatures" in out
    assert (folder / "found" / "calibration.png").exists()
    assert err == ""
