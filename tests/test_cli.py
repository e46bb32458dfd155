import gc
import json
import logging
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import mlflow
import pytest
from example_store import default_store, made_run, status_of

from tallgrass.cli import COMMANDS, main
from tallgrass.cli.output import as_json, printable
from tallgrass.cli.parser import parse, parser_of, switches_of
from tallgrass.cli.results import print_fit
from tallgrass.errors import SpecError
from tallgrass.inference.fit_verdict import FitCheck, fit_verdict
from tallgrass.rollcalls import sources
from tallgrass.rollcalls.sources import SimulationDesign
from tallgrass.rollcalls.spec import RunSpec
from tallgrass.tracking.writing import start_run

ROOT = Path(__file__).parent.parent
TINY = ["--session=simulated", "--draws=20", "--tune=30", "--chains=2", "--fit-checks=false"]


@pytest.fixture
def store(tmp_path):
    with default_store(tmp_path):
        yield tmp_path


def command(*words):
    return [sys.executable, "-m", "tallgrass", *words]


def environment(**more):
    return {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(ROOT)]), **more}


def parsed(*words, name="run"):
    one = COMMANDS[name]
    parser = parser_of(name, one)
    return parse(parser, words, switches_of(one))


def only_error(capsys, *words):
    """The error of a command that must end with status 2, printing that one line and no more."""
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("tallgrass: error: ")
    assert err.count("\n") == 1
    return err


def test_help_lists_every_parameter_with_its_default_and_choices(capsys):
    assert main(["run", "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    for name, field in RunSpec.model_fields.items():
        default = str(field.default).lower() if field.annotation is bool else field.default
        entry = re.search(rf"--{name.replace('_', '-')} (.*?\(default: [^)]*\))", shown)
        assert entry, name
        assert field.description in entry[1]
        assert default == "" or f"(default: {default})" in entry[1]
    assert "--chamber {senate,house,both}" in shown


def test_help_of_the_program_names_every_command(capsys):
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert [name for name, one in COMMANDS.items() if f"{name:<11}{one.summary}" not in shown] == []


HELP = """
import contextlib, io, json, sys
from tallgrass.cli import main
slow = {"mlflow", "pymc", "pytensor", "matplotlib", "arviz", "numba", "pandas"}
found = {}
for name in sys.argv[1:]:
    before = set(sys.modules)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        status = main([name, "--help"])
    found[name] = [status, out.getvalue(), sorted(slow & set(sys.modules) - before)]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def helps():
    """By command the status of its help, what it says, and what is slow and was imported for it."""
    done = subprocess.run(
        [sys.executable, "-c", HELP, *COMMANDS],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_without_importing_what_is_slow(name, helps):
    status, said, imported = helps[name]
    assert (status, imported) == (0, [])
    assert said.startswith(f"usage: tallgrass {name}")


@pytest.mark.parametrize(
    "words",
    [
        ["--min-votes", "5", "--strict"],
        ["--min_votes=5", "--strict=true"],
        ["--strict", "true", "--min-votes=5"],
        ["--strict", "--min_votes", "5"],
    ],
)
def test_names_take_dashes_or_underscores_and_values_a_space_or_an_equals_sign(words):
    assert parsed(*words).run == {"min_votes": "5", "strict": "true"}


def test_the_value_of_a_flag_is_left_alone():
    given = parsed("--session=--a_b=c_d e", "--seed=-1")
    assert given.run == {"session": "--a_b=c_d e", "seed": "-1"}


def test_a_switch_before_a_run_id_does_not_swallow_it():
    given = parsed("--strict", "abcd", name="rerun")
    assert (given.operands, given.run) == (("abcd",), {"strict": "true"})


def test_settings_and_parameters_are_told_apart():
    given = parsed("--data-dir=x", "--draws=5", "--json")
    assert (given.settings, given.run, given.json) == ({"data_dir": "x"}, {"draws": "5"}, True)


def test_an_option_that_must_be_a_number_is_checked():
    with pytest.raises(SpecError, match=r"limit.*whole number from 1"):
        parsed("--limit=0", name="runs").number("limit", 20)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["run", "--chambr=senate"], "unknown flag: received '--chambr'. did you mean --chamber"),
        (["run", "--cham", "senate"], "unknown flag: received '--cham'"),
        (["run", "senate"], "unexpected argument: received 'senate'"),
        (["run", "--draws"], "--draws: expected one argument"),
        (["rum"], "unknown command: received 'rum'. did you mean run"),
        (["run", "--chamber=lords"], "chamber"),
        (["run", "--draws=abc"], "draws"),
        (["run", "--chains=0"], "chains"),
        (["run", "--strict=maybe"], "strict"),
        (["run", "--beta-prior=normal:0"], "beta_prior"),
        (["run", "--beta-prior=cauchy:0,1"], "beta_prior"),
        (["run", "--init=run:nope"], "run:nope"),
        (["run", "--progress=dance"], "progress"),
        (["show"], "show takes one run id"),
        (["show", "a", "b"], "show takes one run id: received 'a b'"),
        (["simulate"], "simulate takes one folder"),
        (["simulate", "x", "--matched=many"], "matched"),
        (["simulate", "x", "--house-members=1"], "house_members"),
        (["show", "nope"], "not a run id"),
        (["rerun", "0" * 32], "unknown run"),
        (["promote", "0" * 32], "unknown run"),
        (["compare"], "no run to compare"),
        (["runs", "--experiment=none such"], "unknown experiment"),
        (["runs", "--filter=nonsense"], "bad filter"),
        (["ui", "--port=http"], "port"),
        (["run", "--tracking-uri=http://me:hush@127.0.0.1:1"], "Connection refused"),
        (["run", "--baseline=beef"], "unknown run"),
    ],
)
def test_what_the_user_can_mend_is_one_line_and_status_2(store, capsys, words, expected):
    error = only_error(capsys, *words)
    assert expected in error
    assert "hush" not in error
    client = mlflow.MlflowClient(f"sqlite:///{store}/mlflow.db")
    assert [one.name for one in client.search_experiments()] == ["Default"]


def test_an_error_with_json_is_an_object_too(store, capsys):
    assert main(["show", "0" * 32, "--json"]) == 2
    assert "unknown run" in json.loads(capsys.readouterr().out)["error"]


def test_control_characters_in_an_error_reach_no_terminal(store, capsys):
    error = only_error(capsys, "run", "--chamber=\x1b[31mred\x07")
    assert "\x1b" not in error
    assert "\\x1b[31mred\\x07" in error


def test_the_wrong_name_of_a_variable_is_warned_about(store, capsys, monkeypatch):
    monkeypatch.setenv("TALLGRASS_CHAMBRE", "house")
    assert main(["runs"]) == 0
    warning = "tallgrass: warning: the variable TALLGRASS_CHAMBRE is ignored"
    assert capsys.readouterr().err.startswith(warning)


def test_no_runs_yet_says_how_to_make_one(store, capsys):
    assert main(["runs"]) == 0
    assert "tallgrass run" in capsys.readouterr().out


def test_runs_are_listed_with_whole_ids_where_another_program_reads(store, capsys):
    run_id = made_run(session="x [red]")
    made_run(sampler="pymc", verdict="fail")
    assert main(["runs", "--verdict=pass"]) == 0
    head, line = capsys.readouterr().out.splitlines()
    assert head.split()[0] == "run"
    assert line.split()[0] == run_id
    assert "1.0030" in line


def test_runs_as_json_are_one_object_with_null_for_what_is_missing(store, capsys):
    run_id = made_run()
    assert main(["runs", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["runs"]
    assert (row["run_id"], row["rhat_max"], row["abs_r"]) == (run_id, 1.003, None)
    assert row["start_time"].endswith("+00:00")


def test_a_comparison_as_markdown_and_as_json(store, capsys):
    ids = [made_run("flat"), made_run(verdict="fail")]
    assert main(["compare", *(one[:8] for one in ids), "--markdown"]) == 0
    assert "| R-hat max | < 1.01 | **1.0030** | **1.0030** |" in capsys.readouterr().out
    assert main(["compare", *ids, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["comparison"]
    assert {row["run_id"] for row in rows} == set(ids)
    assert main(["compare", *ids]) == 0
    assert re.search(r"R-hat max +< 1\.01 +1\.0030 pass +1\.0030 pass", capsys.readouterr().out)


def test_thresholds_given_as_flags_decide_what_passes(store, capsys):
    assert main(["compare", made_run(), "--threshold-ess=5000", "--markdown"]) == 0
    assert "| ESS bulk min | > 5000 | 900 |" in capsys.readouterr().out


def test_show_prints_everything_and_escapes_it(store, capsys):
    with start_run(None, "a \x1b[2J [bold]name") as run:
        run.log_metrics({"rhat_max": 1.003})
        run.log_text("{}", "spec/run.json")
    assert main(["show", run.run_id]) == 0
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "[bold]name" in shown
    assert "spec/run.json" in shown
    assert main(["show", run.run_id, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["metrics"] == {"rhat_max": 1.003}


def test_promoting_makes_a_baseline_and_warns_when_the_verdict_is_not_pass(store, capsys):
    run_id = made_run(verdict="fail")
    assert main(["promote", run_id[:8]]) == 0
    out, err = capsys.readouterr()
    assert run_id in out
    assert "verdict of this baseline is fail" in err
    assert mlflow.MlflowClient().get_run(run_id).data.tags["baseline"] == "true"


def shown_on_a_terminal(monkeypatch, columns, *words):
    """What a command shows on a terminal of so many columns."""
    main_end, other_end = pty.openpty()
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    with monkeypatch.context() as patch, os.fdopen(other_end, "w") as terminal:
        patch.setattr(sys, "stdout", terminal)
        assert main(list(words)) == 0
    shown = b""
    with suppress(OSError), os.fdopen(main_end, "rb", buffering=0) as screen:  # EIO at its end
        while part := screen.read(4096):
            shown += part
    return re.sub(r"\x1b\[[0-9;]*m", "", shown.decode())


def test_on_a_terminal_runs_are_drawn_without_reading_markup_in_names(store, monkeypatch):
    made_run(tags={"session": "[link=x]91st[/link]"})
    shown = shown_on_a_terminal(monkeypatch, 200, "runs")
    assert "[link=x]91st[/link]" in shown
    assert "─" in shown


def test_a_narrow_terminal_shows_verdict_and_fit_whole_and_names_what_it_leaves_out(
    store, monkeypatch
):
    made_run(tags={"session": "91st_2025-2026", "fit": "questioned"})
    shown = shown_on_a_terminal(monkeypatch, 80, "runs")
    assert re.search(r"91st +senate +hierarchical +pass +1\.0030", shown)
    assert "questioned" in shown_on_a_terminal(monkeypatch, 100, "runs")
    narrow = shown_on_a_terminal(monkeypatch, 60, "runs")
    assert re.search(r"91st +senate +hierarchical +pass", narrow)
    assert "fit" in narrow.split("Too narrow for")[1]
    assert "Too narrow" not in shown_on_a_terminal(monkeypatch, 200, "runs")


def test_a_narrow_terminal_shows_why_a_run_has_no_verdict(store, monkeypatch):
    with suppress(KeyboardInterrupt), start_run(None, "stopped") as run:
        run.log_params({"session": "91st_2025-2026", "model": "flat"})
        raise KeyboardInterrupt
    assert "KILLED" in shown_on_a_terminal(monkeypatch, 80, "runs")


def test_a_reader_that_leaves_early_is_no_error(store):
    for _ in range(3):
        made_run()
    with subprocess.Popen(
        command("runs"), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        child.stdout.close()
        err = child.stderr.read().decode()
    assert "Traceback" not in err
    assert "BrokenPipe" not in err


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_ui_serves_the_experiment_and_ends_with_its_server(store, number):
    run_id = made_run()
    experiment = mlflow.MlflowClient().get_run(run_id).info.experiment_id
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with subprocess.Popen(
        command("ui", f"--port={port}"),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as child:
        try:
            address = child.stdout.readline().strip()
            page = (
                f"http://127.0.0.1:{port}/#/experiments/{experiment}/runs"
                "?workflowType=machine_learning&viewStateShareKey=results"
            )
            assert address == page
            answer = _fetched(f"http://127.0.0.1:{port}/api/2.0/mlflow/runs/get?run_id={run_id}")
            assert json.loads(answer)["run"]["info"]["run_id"] == run_id
            child.send_signal(number)  # to the command alone: MLflow's own processes end with it
            assert child.wait(timeout=60) == 0
        finally:
            child.kill()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def _fetched(address):
    for _ in range(120):
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return answer.read()
        except OSError:
            time.sleep(0.5)
    raise TimeoutError(address)


def test_a_port_in_use_is_an_error_that_names_another(store, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"--port {port + 1}" in only_error(capsys, "ui", f"--port={port}")


def test_logging_of_the_caller_is_as_before(store):
    logger = logging.getLogger("tallgrass")
    before = (list(logger.handlers), logger.level, logger.propagate)
    main(["runs"])
    assert (list(logger.handlers), logger.level, logger.propagate) == before


def test_a_simulated_legislature_reads_back_with_the_same_fingerprints_and_its_truth(store, capsys):
    small = ["--house-members=12", "--house-rollcalls=20", "--senate_rollcalls=15", "--matched=5"]
    assert main(["simulate", "new/91st", "--seed=3", *small, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert len(answer["files"]) == 4
    design = SimulationDesign(house_members=12, house_rollcalls=20, senate_rollcalls=15, matched=5)
    drawn = sources.simulate(3, design)
    truth = json.loads(Path("new/91st/truth.json").read_text())
    for name in ("house", "senate"):
        chamber = drawn.chamber(name)
        read = sources.load_votes("new/91st", name)
        assert read.fingerprint == chamber.votes.fingerprint
        assert read.legislators == chamber.votes.legislators
        assert read.rollcalls == chamber.votes.rollcalls
        assert list(truth[name]["xi"].values()) == chamber.xi.tolist()


def test_a_folder_that_holds_something_is_not_written_into(store, capsys):
    assert (store / "mlflow.db").exists()
    assert "holds something already" in only_error(capsys, "simulate", ".")


@pytest.fixture(scope="module")
def real_run(tmp_path_factory):
    """One real, short run made by the command, and what it printed."""
    with default_store(tmp_path_factory.mktemp("run")) as folder:
        done = subprocess.run(
            command("run", *TINY, "--json", "--strict"),
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        yield folder, done


def test_run_with_json_prints_one_object_and_nothing_else_on_stdout(real_run):
    _, done = real_run
    assert done.returncode == 3, done.stderr
    answer = json.loads(done.stdout)
    assert re.fullmatch("[0-9a-f]{32}", answer["run_id"])
    assert {check["name"] for check in answer["checks"]}


def test_a_failed_verdict_is_status_3_only_with_strict_and_the_run_is_finished(
    real_run, monkeypatch
):
    folder, done = real_run
    monkeypatch.chdir(folder)
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["verdict"]) == (3, "fail")
    assert status_of(answer["run_id"]) == "FINISHED"


def test_rerun_repeats_a_run_with_the_flags_given_and_says_where_to_look(
    real_run, monkeypatch, capsys
):
    folder, done = real_run
    monkeypatch.chdir(folder)
    run_id = json.loads(done.stdout)["run_id"]
    assert main(["rerun", run_id[:12], "--seed=7", "--strict=false"]) == 0
    shown = capsys.readouterr().out
    again = re.search(r"^Run ([0-9a-f]{32})$", shown, re.MULTILINE)[1]
    params = mlflow.MlflowClient().get_run(again).data.params
    assert (params["seed"], params["draws"], params["session"]) == ("7", "20", "simulated")
    assert "stands farthest to the right" in shown.split("Verdict:")[0]
    assert re.search(r"^Verdict: fail$", shown, re.MULTILINE)
    assert f"/runs/{again}" in shown
    assert "index.html" in shown


def test_text_from_the_data_is_printable():
    assert printable("Émile O'Neil\n\x1b[2J\u202e") == "Émile O'Neil\\n\\x1b[2J\\u202e"


def test_json_has_null_for_numbers_that_are_not_finite():
    assert json.loads(as_json({"a": [float("nan"), 1.5], "b": {"c": float("inf")}})) == {
        "a": [None, 1.5],
        "b": {"c": None},
    }


def test_a_number_and_its_percent_sign_stay_on_one_line_of_the_fit(capsys):
    words = "Of all of them a great many, namely " + ", ".join(f"{n} %" for n in range(60))
    print_fit(fit_verdict((FitCheck("shares", "questioned", words),)))
    lines = capsys.readouterr().out.splitlines()
    assert not any(line.strip().startswith("%") for line in lines)
    assert max(map(len, lines)) <= 80
    assert " ".join(line.strip() for line in lines[1:]).strip() == f"shares: {words}"


def test_experiments_without_dask_say_how_to_install_it(monkeypatch, capsys):
    from tallgrass.cli import experiment

    monkeypatch.setattr(experiment, "find_spec", lambda name: None)
    assert main(["experiment", "projects/coordinates"]) == 2
    assert "pip install 'tallgrass[experiments]'" in capsys.readouterr().err


def test_the_garbage_collector_of_a_script_that_calls_a_command_stays_as_it_is(capsys):
    before = gc.get_threshold()
    assert main(["--version"]) == 0
    assert gc.get_threshold() == before
    assert capsys.readouterr().out.startswith("tallgrass ")
