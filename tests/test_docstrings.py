"""Every public name has an example, and what the examples say is what happens."""

import doctest
import inspect
import os
import re
import sqlite3
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
from example_store import default_store
from mlflow.utils.autologging_utils import autologging_is_disabled

import tallgrass as tg
from tallgrass.cli import main

QUIET = tg.Settings(progress="none")
EXPERIMENT = """\
question = "Does it matter where chains start?"
expect = [{ verdict = "pass" }]
baseline = "none"
[hold]
model = "flat"
draws = 100
tune = 200
[vary]
init = ["pca", "none"]
"""
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def documented(name: str) -> str:
    return inspect.getdoc(getattr(tg, name)) or ""


@pytest.mark.parametrize("name", tg.__all__)
def test_every_public_name_has_an_example_that_is_run(name: str) -> None:
    examples = doctest.DocTestParser().get_examples(documented(name))

    assert examples
    assert not any(e.options.get(doctest.SKIP) for e in examples)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A store with a short run on the sample, and an experiment of two of the flat model."""
    with default_store(tmp_path_factory.mktemp("store")) as folder:
        os.environ["TALLGRASS_STATE_DIR"] = str(folder / "state")
        tg.fit(tg.RunSpec(draws=200, tune=200), QUIET)
        (folder / "two-starts").mkdir()
        (folder / "two-starts" / "experiment.toml").write_text(EXPERIMENT)
        assert main(["experiment", "two-starts", "--workers", "1", "--progress", "none"]) == 0
        yield folder
        del os.environ["TALLGRASS_STATE_DIR"]


@pytest.mark.slow
@pytest.mark.parametrize("name", tg.__all__)
def test_the_example_of_a_public_name_does_what_it_says(store: Path, name: str) -> None:
    test = doctest.DocTestParser().get_doctest(documented(name), {"tg": tg}, name, None, 0)
    failures: list[str] = []
    doctest.DocTestRunner(optionflags=FLAGS).run(test, out=failures.append)

    assert not failures, "".join(failures)
    # An example that leaves it on would make runs of what later tests sample.
    assert autologging_is_disabled("tallgrass")


def recorded_patterns() -> dict[str, list[str]]:
    """Names in the manual's page of what a run records, by section."""
    page = (Path(__file__).parents[1] / "docs" / "reference" / "records.md").read_text()
    sections = {}
    for section in page.split("\n## ")[1:]:
        rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
        sections[section.splitlines()[0]] = [
            n for row in rows for n in re.findall("`([^`]+)`", row)
        ]
    return sections


@pytest.mark.slow
def test_everything_that_the_runs_recorded_is_in_the_manual(store: Path) -> None:
    patterns = recorded_patterns()
    parameters = [*tg.RunSpec.model_fields, *tg.CalibrationSpec.model_fields]
    artifacts = [
        path for run in (store / "mlruns").glob("[0-9]*/*/artifacts") for path in run.rglob("*")
    ]
    seen = {
        "Metrics": names(store, "metrics"),
        "Params": names(store, "params") - {*parameters},
        "Tags": names(store, "tags"),
        "Artifacts": {
            str(path).partition("/artifacts/")[2] for path in artifacts if path.is_file()
        },
    }

    for section, there in seen.items():
        unknown = {n for n in there if not any(fnmatch(n, p) for p in patterns[section])}
        assert len(there) > 10
        assert unknown == set()


def names(store: Path, table: str) -> set[str]:
    with sqlite3.connect(store / "mlflow.db") as database:
        return {row[0] for row in database.execute(f"SELECT DISTINCT key FROM {table}")}
