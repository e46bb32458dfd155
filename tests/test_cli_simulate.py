import inspect
import json
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tallgrass.cli import main
from tallgrass.inference.spec import SamplerSpec
from tallgrass.lab import sbc
from tallgrass.lab.sbc import check_calibration
from tallgrass.rollcalls.spec import ModelSpec

SMALL = ["--check=20", "--model=flat", "--legislators=15", "--rollcalls=30", "--seed=1"]


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


class Check:
    """Stands in for a check, with ranks that are uniform but for those of one variable."""

    def __init__(self) -> None:
        self.wrong, self.asked = "", {}

    def __call__(self, *arguments: object, **named: object) -> sbc.Calibration:
        self.asked = inspect.signature(check_calibration).bind(*arguments, **named).arguments
        generator = np.random.default_rng(0)
        ranks = pd.DataFrame(
            [
                (variable, f"{variable}{i}", number, generator.random())
                for number in range(20)
                for variable, n in (("xi", 13), ("alpha", 30), ("beta", 30), ("log_likelihood", 1))
                for i in range(n)
            ],
            columns=["variable", "name", "simulation", "fraction"],
        )
        ranks.loc[ranks["variable"] == self.wrong, "fraction"] **= 3
        for number in range(20):
            self.asked["observer"](number + 1)  # type: ignore[operator]
        return sbc.Calibration(ranks, sbc.uniformity_table(ranks), 20, 1.5, 2, 3)


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch) -> Check:
    made = Check()
    monkeypatch.setattr(sbc, "check_calibration", made)
    return made


def test_a_check_writes_its_table_its_ranks_and_a_picture_and_prints_one_object(
    folder: Path, capfd: pytest.CaptureFixture[str], check: Check
) -> None:
    words = ["--beta-prior=lognormal:0,1", "--coordinates=textbook"]
    assert main(["simulate", *SMALL, *words, "--json"]) == 0

    spec = ModelSpec(model="flat", beta_prior="lognormal:0,1", coordinates="textbook")
    del check.asked["observer"]
    assert check.asked == {
        "n": 20, "spec": spec, "n_legislators": 15, "n_rollcalls": 30, "seed": 1
    }  # fmt: skip
    out, err = capfd.readouterr()
    answer = json.loads(out)
    made = folder / "calibration-flat"
    assert answer["calibrated"] is True
    assert answer["spec"] == spec.model_dump()
    assert (answer["simulations"], answer["seed"], answer["seconds"]) == (20, 1, 1.5)
    assert (answer["divergent"], answer["slow_mixing"]) == (2, 3)
    assert [row["variable"] for row in answer["table"]] == ["xi", "alpha", "beta", "log_likelihood"]
    assert [folder / name for name in answer["files"]] == [
        made / name for name in ("calibration.csv", "ranks.csv", "calibration.png")
    ]
    assert len(pd.read_csv(made / "ranks.csv")) == 20 * 74
    assert list(pd.read_csv(made / "calibration.csv")["parameters"]) == [13, 30, 30, 1]
    assert (made / "calibration.png").read_bytes().startswith(b"\x89PNG")
    assert err.splitlines() == [f"{2 * n} of 20 legislatures" for n in range(1, 11)]


def test_a_rejected_check_is_status_3_and_says_what_is_wrong(
    folder: Path, capsys: pytest.CaptureFixture[str], check: Check
) -> None:
    check.wrong = "alpha"

    assert main(["simulate", "found", *SMALL, "--progress=none"]) == 3

    out, err = capsys.readouterr()
    lines = [line.split() for line in out.splitlines()]
    verdicts = {line[0]: line[-1] for line in lines if line and line[-1] in ("pass", "FAIL")}
    assert verdicts == {"xi": "pass", "alpha": "FAIL", "beta": "pass", "log_likelihood": "pass"}
    assert "Not calibrated: 20 legislatures in 2 s, 2 with divergences, 3 with an R-hat" in out
    assert (folder / "found" / "calibration.png").exists()
    assert err == ""


@pytest.mark.slow
def test_a_check_fits_its_legislatures(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = SamplerSpec(draws=150, tune=200, chains=2)
    monkeypatch.setattr(sbc, "check_calibration", partial(check_calibration, sampler=quick))

    assert main(["simulate", *SMALL]) == 0

    assert len(pd.read_csv(folder / "calibration-flat" / "ranks.csv")) == 20 * 74
