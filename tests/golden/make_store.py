"""Makes ``store.zip``: runs of every kind in a store of their own, to be read by later versions.

Run it with the version whose runs are to be kept, never with the one that is to read them::

    python tests/golden/make_store.py tests/golden/store.zip

The store in this folder was made by commit 8e73e0b (schema version 1), the last one before the
rooms of the package were moved. Reports and pictures are left out, as no command reads them.
"""

import csv
import json
import os
import random
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

import tallgrass as tg
from tallgrass.cli import main

SIZES = ["--house-members=15", "--senate-members=13", "--house-rollcalls=26"]
SIZES += ["--senate-rollcalls=24", "--matched=12", "--seed=3"]
SHORT = {"draws": 250, "tune": 250, "chains": 2, "min_votes": 5}
LEFT_OUT = {"report", "plots"}


def answers() -> None:
    """Made-up answers of 300 users to 8 items, and anchors of three of them."""
    draw = random.Random(5)
    difficulty = [draw.gauss(0, 1) for _ in range(8)]
    with Path("answers.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["user", "item", "response"])
        for user in range(300):
            ability = draw.gauss(0, 1)
            for item, b in enumerate(difficulty):
                right = draw.random() < 1 / (1 + 2.718281828459045 ** (b - ability))
                rows.writerow([f"u{user:03d}", f"i{item}", int(right)])
    lines = ["item,a,b", *(f"i{k},1.0,{difficulty[k]:.4f}" for k in range(3))]
    Path("anchors.csv").write_text("\n".join(lines) + "\n")


def runs() -> dict[str, str]:
    """One run of every kind, by name."""
    quiet = tg.Settings(progress="none", tracking_uri="sqlite:///mlflow.db")
    made = {}

    def fit(name: str, **given: object) -> None:
        spec = tg.RunSpec(session="legislature", **{**SHORT, **given})
        made[name] = tg.fit(spec, quiet).run_id

    fit("flat", model="flat", chamber="senate")
    fit("hierarchical", chamber="senate")
    fit("house", chamber="house")
    fit("pymc", chamber="senate", sampler="pymc", draws=60, tune=60)
    fit("joint", model="joint", chamber="both")
    link = tg.link(made["house"], made["hierarchical"], tg.LinkOptions(draws=20), quiet)
    made["link"] = link.run_id
    for engine in ("nuts", "gibbs", "map", "mml"):
        spec = tg.CalibrationSpec(
            responses="answers.csv",
            engine=engine,
            anchors="anchors.csv",
            min_responses=20,
            draws=200,
            tune=100,
            chains=2,
        )
        made[engine] = tg.calibrate(spec, quiet).run_id
    spec = tg.CalibrationSpec(responses="answers.csv", min_responses=20)
    made["engines"] = tg.calibrate_all(spec, ["map", "mml"], quiet).run_id
    tg.promote(made["hierarchical"])
    return made


def pack(folder: Path, target: Path) -> None:
    """The folder as a zip file, without what no command reads."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not LEFT_OUT & set(path.relative_to(folder).parts):
                archive.write(path, path.relative_to(folder))


if __name__ == "__main__":
    target = Path(sys.argv[1]).absolute()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve()
        os.environ |= {"TALLGRASS_STATE_DIR": str(folder.parent / f"{folder.name}-state")}
        os.chdir(folder)
        assert main(["simulate", "legislature", *SIZES]) == 0
        answers()
        made = runs()
        (folder / "runs.json").write_text(
            json.dumps({"folder": str(folder), "runs": made}, indent=2)
        )
        pack(folder, target)
        shutil.rmtree(folder.parent / f"{folder.name}-state", ignore_errors=True)
