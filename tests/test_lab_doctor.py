"""What keeps a run from working is found, named, and mended by what the line says."""

import sqlite3
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from example_store import bare_folder

from tallgrass.cli import main
from tallgrass.lab import doctor
from tallgrass.lab.doctor import Finding, examine
from tallgrass.lab.examples import write_example
from tallgrass.settings import Settings


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with bare_folder(tmp_path):
        monkeypatch.setenv("TALLGRASS_STATE_DIR", str(tmp_path / "state"))
        yield tmp_path


def findings(**settings: object) -> dict[str, Finding]:
    return {f.about: f for f in examine(Settings(**settings), sampling=False)}


def test_a_machine_that_is_in_order_has_nothing_to_mend_and_nothing_is_made(folder: Path) -> None:
    found = findings(tracking_uri=f"sqlite:///{folder / 'mlflow.db'}")

    assert {f.status for f in found.values()} <= {"ok", "note"}
    assert sorted(path.name for path in folder.iterdir()) == ["state"]


def test_a_package_out_of_its_range_is_wrong_and_one_other_than_tested_a_note(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(doctor, "version", lambda name: "1.0" if name == "pymc" else version(name))
    found = findings()

    assert found["packages"].status == "wrong"
    assert found["packages"].found.startswith("pymc 1.0 is not ")
    assert found["lock"].status == "note"
    assert "pymc 1.0 (tested: " in found["lock"].found


def test_a_store_that_is_no_store_is_wrong_with_what_to_do(folder: Path) -> None:
    with sqlite3.connect(folder / "other.db") as other:
        other.execute("CREATE TABLE birds (name TEXT)")
    (folder / "text.db").write_text("not a database, and long enough to be taken for none " * 9)

    for uri in (f"sqlite:///{folder / 'text.db'}", "http://127.0.0.1:9", "ftp://here"):
        store = findings(tracking_uri=uri)["store"]
        assert store.status == "wrong"
        assert store.found


def test_sessions_that_are_there_are_named_and_an_empty_folder_says_how_to_get_some(
    folder: Path,
) -> None:
    assert findings()["data"].mend.endswith("tallgrass example kansas-like")

    write_example("kansas-like", folder / "data" / "kansas-like")

    assert "3rd_2025-2026" in findings()["data"].found


def test_a_state_folder_that_cannot_be_made_is_wrong_and_gives_status_2(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "file").write_text("")
    monkeypatch.setenv("TALLGRASS_STATE_DIR", str(folder / "file" / "state"))

    assert main(["doctor", "--quick"]) == 2
    out = capsys.readouterr().out
    assert "WRONG  state" in out
    assert out.endswith("1 to mend\n")


@pytest.mark.slow
def test_the_short_run_is_made_in_a_place_of_its_own(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor"]) == 0
    assert "ok     sampling  a small model, from start to report, in " in capsys.readouterr().out
    assert not (folder / "mlflow.db").exists()
