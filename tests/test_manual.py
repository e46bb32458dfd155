"""README and manual, from top to bottom: each command and snippet does what a reader expects.

A block that needs what a test cannot have is preceded by ``<!-- not run: the reason -->``.
``tallgrass`` and ``python`` are forked from a process that has imported the clone's program, except
what ``make`` and ``mlflow`` start.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from forked import Forkery
from test_project import ROOT, tracked_files

PAGES = ["README.md", *(f"docs/{name}.md" for name in (
    "any-model", "careers", "dimensions", "experiments", "groups", "joint", "mlflow", "prediction",
    "python", "selections", "storage", "verdict",
))]  # fmt: skip
BLOCK = re.compile(r"(<!-- not run: .+ -->\n)?```(bash|python)\n(.*?)```", re.S)
INDENTED = re.compile(r"^    (?:tallgrass|mlflow|make|git|dask|pip) ", re.M)
TO_COMMAND = re.compile(r"^\| [a-z][^|]+ \| `(tallgrass [^`]+)` \|$", re.M)
LARGE = re.compile(r"^tallgrass dims |--dims 2|--model (dynamic|joint)")
# Short chains: whether they converge is not what is asked here.
SHORT = {
    "TALLGRASS_DRAWS": "200",
    "TALLGRASS_TUNE": "200",
    "TALLGRASS_CHAINS": "2",
    "TALLGRASS_PROGRESS": "none",
}
# Where the variables of the environment do not reach: what says its number of draws itself.
SHORT_FILES = {
    "MLproject": ("draws: {type: string, default: 2000}", "draws: {type: string, default: 200}"),
    "projects/sessions/experiment.toml": ("[vary]", "[hold]\ndraws = 200\ntune = 200\n[vary]"),
}
RUN_SPEC = re.compile(r"tg\.RunSpec\((?!.*draws=)")
SHORT_RUN_SPEC = "tg.RunSpec(draws=200, tune=200, chains=2, "


def blocks(page: str) -> list[tuple[str, str]]:
    """Language and text of the blocks that are run, in their order."""
    text = (ROOT / page).read_text()
    found = [(m.start(), m[2], m[3]) for m in BLOCK.finditer(text) if not m[1]]
    if page == "README.md":
        found += [(m.start(), "bash", m[1]) for m in TO_COMMAND.finditer(text)]
    return [(language, block) for _, language, block in sorted(found)]


def test_every_command_in_a_page_is_in_a_block_that_is_run_or_says_why_not() -> None:
    assert [page for page in PAGES if INDENTED.search((ROOT / page).read_text())] == []
    reasons = [
        r for page in PAGES for r in re.findall("not run: (.+) -->", (ROOT / page).read_text())
    ]
    assert len(reasons) < 15


class Reader:
    """Somebody who types what the pages say, in a fresh clone."""

    def __init__(self, clone: Path) -> None:
        self.clone = clone
        self.typed: set[frozenset[str]] = set()
        environment = {
            k: v for k, v in os.environ.items() if not k.startswith(("TALLGRASS", "MLFLOW"))
        }
        environment |= SHORT | {
            "TALLGRASS_STATE_DIR": str(clone / "state"),
            "PYTHONPATH": str(clone),
        }
        self._forkery = Forkery(environment)
        places = [str(self._forkery.folder), str(Path(sys.executable).parent), os.environ["PATH"]]
        self.environment = environment | {"PATH": os.pathsep.join(places)}

    def runs(self, language: str, text: str) -> str:
        """What the block prints."""
        if language == "python":
            here = {"cwd": self.clone, "env": self.environment}
            done = self._forkery.run(["-c", text], **here, timeout=600)
        else:
            done = subprocess.run(
                ["bash", "-e", "-u", "-c", text],
                cwd=self.clone,
                env=self.environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=600,
            )
        said = f"{text}\n{done.stdout}\n{done.stderr}"
        assert done.returncode == 0, said
        assert "Traceback" not in said, said
        return done.stdout

    def not_typed_yet(self, block: str) -> str:
        """The block without the runs of large models that a page before it has as well.

        They sample for as long as all else on a page takes, and would do the same once more. A
        plain run is made again, as what follows may be about the newest one.
        """
        lines = []
        for line in block.splitlines():
            if line.startswith("tallgrass ") and LARGE.search(line):
                asked = frozenset(shlex.split(line, comments=True))
                if asked in self.typed:
                    continue
                self.typed.add(asked)
            lines.append(line)
        return "\n".join(lines)

    def with_ids(self, text: str) -> str:
        """The text with ids of runs where it has names for them."""
        wanted = re.findall("<((?:other )?run(?: of the (?:House|Senate))?)>", text)
        if not wanted:
            return text
        code = (
            "import tallgrass as tg; t = tg.runs(); t = t[t.verdict.notna()]; "
            "print(*(t.run_id + ':' + t.chamber.fillna('')))"
        )
        newest = [row.split(":") for row in self.runs("python", code).split()]
        ids = {"run": newest[0][0], "other run": newest[1][0]}
        for chamber in ("House", "Senate"):
            ids[f"run of the {chamber}"] = next(
                (run_id for run_id, c in newest if c == chamber.lower()), newest[0][0]
            )
        return re.sub("<((?:other )?run(?: of the (?:House|Senate))?)>", lambda m: ids[m[1]], text)


def copy_clone(clone: Path) -> None:
    """Copy what git tracks, as it is on disk now."""
    for path in tracked_files():
        target = clone / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    clone = tmp_path_factory.mktemp("clone")
    copy_clone(clone)
    for name, (long, short) in SHORT_FILES.items():
        text = (clone / name).read_text()
        assert long in text
        (clone / name).write_text(text.replace(long, short))
    (clone / ".venv").symlink_to(Path(sys.executable).parents[1])
    return Reader(clone)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_a_page_can_be_typed_from_top_to_bottom(reader: Reader, page: str) -> None:
    found = blocks(page)
    if page != "README.md" and not (reader.clone / "data").exists():
        reader.runs("bash", "tallgrass example kansas-like; tallgrass run")
    python = ""
    for language, text in found:
        block = reader.with_ids(text)
        if language == "python":  # a page is one session of Python
            python += RUN_SPEC.sub(SHORT_RUN_SPEC, block)
        elif block := reader.not_typed_yet(block):
            printed = reader.runs("bash", block)
            if block.startswith("tallgrass run "):
                assert "Verdict: " in printed
    if python:
        reader.runs("python", python)
    assert found or page in ("docs/verdict.md", "docs/mlflow.md")


# Words that a reader knows without this manual.
KNOWN = {"CSV", "GNU", "HTML", "FOLDER", "JSON", "MIT", "URL", "US"}


def test_every_abbreviation_of_the_first_pages_is_in_the_glossary() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text()
    pages = [
        "README.md",
        *(str(p.relative_to(ROOT)) for p in (ROOT / "docs/tutorials").glob("*.md")),
    ]
    unknown = {}
    for page in pages:
        text = re.sub(
            r"```.*?```|`[^`]*`|[A-Z]+\.md|\]\([^)]*\)|<!--.*?-->",
            " ",
            (ROOT / page).read_text(),
            flags=re.S,
        )
        words = set(re.findall(r"\b[A-Z][A-Z-]+[A-Z]\b", text)) - KNOWN
        missing = sorted(w for w in words if w not in glossary)
        if missing:
            unknown[page] = missing

    assert unknown == {}
