"""A user's Python file that makes a model."""

import subprocess

import pytest

from tallgrass.errors import SpecError
from tallgrass.study.model_file import ModelFile, from_store, is_reference, short

GOOD = "import helper\n\n\ndef double(x):\n    return helper.FACTOR * x\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "helper.py").write_text("FACTOR = 2\n")
    (tmp_path / "mine.py").write_text(GOOD)
    return tmp_path


def write(folder, text):
    (folder / "broken.py").write_text(text)
    return ModelFile.read("broken.py:f", folder)


@pytest.mark.parametrize("text", ["flat", "mine.py", "mine.py:", "mine.py:1a", "mine.txt:f", ":f"])
def test_other_texts_are_no_reference(text):
    assert not is_reference(text)


def test_a_reference_is_shown_without_its_folders():
    assert short("/some/where/mine.py:double") == "mine.py:double"
    assert short(from_store("a/mine.py:double")) == "mine.py:double"


def test_the_function_is_called_and_may_import_what_lies_beside_it(folder):
    assert ModelFile.read("mine.py:double", folder).call(4) == 8


def test_the_run_learns_the_text_its_digest_and_the_state_in_git(folder):
    def git(*words):
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)

    assert "model.git.commit" not in ModelFile.read("mine.py:double", folder).tags
    git("init")
    git("add", ".")
    git("commit", "-m", "first")
    committed = ModelFile.read("mine.py:double", folder)
    assert committed.texts == {"model/source.py": GOOD}
    assert committed.tags["model.git.dirty"] == "false"
    assert len(committed.tags["model.git.commit"]) == 40
    (folder / "mine.py").write_text(GOOD + "# more\n")
    changed = ModelFile.read("mine.py:double", folder)
    assert changed.tags["model.git.dirty"] == "true"
    assert changed.sha256 != committed.sha256


def test_to_read_a_file_does_not_run_it(folder):
    assert write(folder, "raise SystemExit\n").function == "f"


def test_a_file_that_only_a_stored_run_names_is_not_run(folder):
    with pytest.raises(SpecError, match=r"name the file yourself: --model .*mine\.py:double"):
        ModelFile.read(from_store(str(folder / "mine.py:double")))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1 / 0\n", r"cannot be run: received 'broken\.py, line 1'\. ZeroDivisionError"),
        ("def f(:\n", r"cannot be run: received 'broken\.py, line 1'\. SyntaxError"),
        ("import nosuchmodule\n", r"line 1'\. ModuleNotFoundError"),
        ("def f(x):\n    return y\n", r"the function of the model failed.*line 2'\. NameError"),
        ("def f():\n    pass\n", r"takes 0 positional arguments but 1 was given"),
        ("def g(x):\n    pass\n", r"no function f in the file .* known: g"),
        ("", r"the file defines no function"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line_that_names_the_place(folder, text, message):
    with pytest.raises(SpecError, match=message) as raised:
        write(folder, text).call(1)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(SpecError, match=r"cannot read the file of the model: .*mine\.py"):
        ModelFile.read("mine.py:f", tmp_path)
