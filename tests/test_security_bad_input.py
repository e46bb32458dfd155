"""Bad input by the real command line: one line that says what, what was received, how to mend."""

import re
import sqlite3

import pytest
from example_store import default_store, made_run
from hostile_files import write_all

from tallgrass.cli import main

LONG = "x" * 5000
DIGITS = "9" * 5000
BANK = "sqlite:///bank.db"
DELETE = "DELETE FROM responses RETURNING item, 1 AS a, 0 AS b"
SCORE = ("score", "0" * 32, "--responses=answers.csv")
CALIBRATE = ("calibrate", "--min-responses=1", "--engine=map")
PUBLISH = (*CALIBRATE, f"--responses={BANK}", "--publish")

# What is typed (or a mapping of variables and then what is typed) -> what the error must say.
BAD = {
    # run: parameters
    "an unknown flag": (["run", "--chambr=house"], r"received '--chambr'.*mean --chamber"),
    "a flag without its value": (["run", "--draws"], r"--draws: expected one argument"),
    "a stray word": (["run", "senate"], r"unexpected argument: received 'senate'"),
    "a chamber of no parliament": (["run", "--chamber=lords"], r"'senate', 'house'.*'lords'"),
    "draws in words": (["run", "--draws=many"], r"draws .*integer.*received 'many'"),
    "draws without end": (["run", f"--draws={DIGITS}"], r"bad value for draws.*999\.\.\."),
    "no chains": (["run", "--chains=0"], r"chains .*greater than or equal to 1.*'0'"),
    "a negative seed": (["run", "--seed=-1"], r"seed .*greater than or equal to 0.*'-1'"),
    "an acceptance of one": (["run", "--target-accept=1"], r"target_accept .*less than 1.*'1'"),
    "an acceptance that is no number": (["run", "--target-accept=nan"], r"target_accept.*'nan'"),
    "a switch with maybe": (["run", "--strict=maybe"], r"strict .*boolean.*'maybe'"),
    "an unknown start": (["run", "--init=random"], r"init: unknown start: .*'random'. use pca"),
    "a start that is code": (["run", "--init=run:$(id)"], r"unknown start: .*'run:\$\(id\)'"),
    "an unknown baseline": (["run", "--baseline=' OR 1=1"], r"baseline: unknown run: .*OR 1=1"),
    "a prior of no name": (["run", "--beta-prior=cauchy:0,1"], r"unknown prior.*'cauchy:0,1'"),
    "a prior of no number": (["run", "--beta-prior=normal:0,x"], r"not a number.*'normal:0,x'"),
    "a prior of code": (
        ["run", "--beta-prior=__import__('os'):1"],
        r"beta_prior: unknown prior distribution.*__import__",
    ),
    "a prior with no spread": (["run", "--mu-prior=normal:0,0"], r"sigma.*'normal:0,0'"),
    "an infinite prior": (["run", "--mu-prior=normal:inf,1"], r"not finite.*'normal:inf,1'"),
    "a gather that is not textbook": (["run", "--likelihood=gather"], r"coordinates=textbook"),
    "an adaptation for another": (
        ["run", "--sampler=pymc", "--adaptation=low_rank"],
        r"setting of nutpie.*sampler=pymc",
    ),
    "a trajectory for another": (
        ["run", "--sampler=pymc", "--trajectory=normal"],
        r"trajectory=normal is nutpie's.*leave trajectory out",
    ),
    "an anchor that names nobody": (
        ["run", "--model=flat", "--anchors=smith"],
        r"anchors: neither a choice nor legislators.*'smith'.*such as smith_a:1,jones_b:-1",
    ),
    "an anchor that is nobody": (
        ["run", "--model=flat", "--anchors=$(id):1,x:-1"],
        r"anchors: no such legislator in the senate.*'\$\(id\)'",
    ),
    "an anchor at no number": (
        ["run", "--model=flat", "--anchors=a:nan,b:-1"],
        r"anchors: neither a choice.*'a:nan,b:-1'",
    ),
    "anchors at one place": (["run", "--model=flat", "--anchors=a:1,b:1"], r"all at one position"),
    "anchors of another model": (["run", "--anchors=a:1,b:-1"], r"flat model only.*model=flat"),
    "a precision of no kind": (
        ["run", "--trace-precision=float16"],
        r"trace_precision .*'float32' or 'float64'.*'float16'",
    ),
    "a thinning by one": (["prune", "--thin=1"], r"bad value for thin.*'1'.*from 2"),
    "a thinning in words": (["prune", "--thin=half"], r"bad value for thin.*'half'"),
    "a time to prune that is none": (
        ["prune", "--before=soon", "--yes"],
        r"before: not a time.*'soon'",
    ),
    "a run to prune that is none": (["prune", "$(id)", "--yes"], r"not a run id.*\$\(id\)"),
    # run: sessions
    "a session that is not there": (["run", "--session=none such"], r"session not found.*looked"),
    "a session outside": (
        ["run", "--session=../../etc/passwd"],
        r"session not found|not a session",
    ),
    "a session that is a device": (["run", "--session=/dev/zero"], r"not a session.*/dev/zero"),
    "a session name too long": (["run", f"--session={LONG}"], r"session not found.*xxx\.\.\."),
    "a path too long": (["run", f"--session=a/{LONG}"], r"session not found.*xxx\.\.\."),
    "a session with a NUL": (["run", "--session=a/b\0c"], r"session not found.*a/b\\x00c"),
    "a session that clears the screen": (["run", "--session=\x1b[2J"], r"\\x1b\[2J"),
    "an empty session": (["run", "--session="], r"session .*at least 1 character"),
    "a folder with nothing": (["run", "--session=nothing"], r"not a session.*<name>_votes.csv"),
    "a missing file": (["run", "--session=no_rollcalls"], r"without its file no_rollcalls_roll"),
    "an empty file": (["run", "--session=empty"], r"'empty_votes.csv' is empty"),
    "a NUL in a file": (["run", "--session=nul"], r"not text: received 'a NUL byte'. save"),
    "another encoding": (
        ["run", "--session=latin", "--chamber=house"],
        r"not text: received 'byte 0xeb'. save it as CSV in UTF-8",
    ),
    "a missing column": (
        ["run", "--session=no_column", "--chamber=house"],
        r"lacks the column legislator_slug: received 'vote_id, who, vote'",
    ),
    "a column twice": (
        ["run", "--session=twice", "--chamber=house"],
        r"a column twice: received 'vote_id'. keep one",
    ),
    "a lone quote": (["run", "--session=lone_quote", "--chamber=house"], r"cut row or a lone"),
    "a row too long": (["run", "--session=ragged", "--chamber=house"], r"not a whole CSV table"),
    "a vote word with an escape": (
        ["run", "--session=word", "--chamber=house"],
        r"row 3: unknown vote word: received 'Never\\x1b\[31m'. known: yea",
    ),
    "a vote of a stranger": (
        ["run", "--session=stranger", "--chamber=house"],
        r"row 9: unknown legislator_slug: received 'rep_z'",
    ),
    "two votes by one": (["run", "--session=again", "--chamber=house"], r"rep_a, v1"),
    "a date that is none": (
        ["run", "--session=undated", "--chamber=house"],
        r"unreadable date: received 'soon 00:00:00'. write it as",
    ),
    "no name": (["run", "--session=nameless", "--chamber=house"], r"row 2: empty slug. fill it"),
    "too many columns": (
        ["run", "--session=wide", "--chamber=house"],
        r"too large: received '30,000 columns'.*limit_columns",
    ),
    "a cut gzip": (["run", "--session=cut", "--chamber=house"], r"half-written or damaged"),
    "a gzip bomb": (
        ["run", "--session=bomb", "--chamber=house"],
        r"too large: received '.* bytes that become .*200 times as many.*limit_expansion",
    ),
    "too many rows for the setting": (
        ["run", "--session=small", "--chamber=house", "--limit-rows=2"],
        r"too large: received '.* rows or more'. at most 2.*limit_rows",
    ),
    "too few legislators": (["run", "--session=small", "--chamber=house"], r"nothing left"),
    # run: zips
    "a zip that is text": (["run", "--session=text.zip"], r"damaged or encrypted.*download"),
    "a cut zip": (["run", "--session=cut.zip"], r"half-written, damaged or encrypted"),
    "a zip without a file": (["run", "--session=missing.zip"], r"no files named bills.csv"),
    "a zip of two sessions": (
        ["run", "--session=two.zip"],
        r"2 LegiScan sessions in 'two.zip': received 'KS/2025, KS/2026'. name.*two.zip/KS/2025",
    ),
    "a zip without the session": (
        ["run", "--session=two.zip/KS/2027"],
        r"no sessions of this name in 'two.zip': received 'KS/2027'. it holds KS/2025, KS/2026",
    ),
    "a path into nothing": (["run", "--session=none.zip/KS"], r"session not found"),
    "a database that is not there": (
        ["run", "--session=sqlite:///none.db"],
        r"no such database file: received .*none\.db",
    ),
    "a database without the table": (
        ["run", "--session=sqlite:///mlflow.db"],
        r"no such table in the database: received 'votes'",
    ),
    "a query of a file": (
        ["run", "--session=small", "--votes-query=SELECT 1"],
        r"a query needs a database: received 'small'. leave votes_query out",
    ),
    "a query that deletes": (
        ["run", "--session=sqlite:///mlflow.db", "--votes-query=DELETE FROM runs"],
        r"the database failed.*readonly",
    ),
    "a zip bomb": (["run", "--session=bomb.zip"], r"too large: .*bytes that become.*limit_exp"),
    "a zip of many files": (["run", "--session=many.zip"], r"10,001 files'.*limit_files"),
    # calibrate
    "no responses": ([*CALIBRATE, "--responses=none.csv"], r"no such file of responses.*none.csv"),
    "a path of responses too long": (
        [*CALIBRATE, f"--responses={LONG}"],
        r"no such file.*xxx\.\.\.",
    ),
    "an answer that is two": ([*CALIBRATE, "--responses=coded.csv"], r"other than 0 and 1.*'2'"),
    "another column": ([*CALIBRATE, "--responses=columns.csv"], r"column response.*answer"),
    "rows longer than their header": (
        [*CALIBRATE, "--responses=shifted.csv"],
        r"'shifted.csv' is not a whole CSV table",
    ),
    "blank responses": ([*CALIBRATE, "--responses=blank.csv"], r"'blank.csv' is empty"),
    "binary responses": ([*CALIBRATE, "--responses=binary.csv"], r"byte 0xff.*UTF-8"),
    "half a Parquet file": ([*CALIBRATE, "--responses=half.parquet"], r"not a whole Parquet file"),
    "lists in Parquet": ([*CALIBRATE, "--responses=lists.parquet"], r"column of lists.*'response'"),
    "a bomb of responses": (
        [*CALIBRATE, "--responses=answers.csv.gz"],
        r"too large: .*limit_expansion",
    ),
    "a password in an address": (
        [*CALIBRATE, "--responses=postgresql://me:hush@127.0.0.1:1/tests"],
        r"cannot connect to the database.*postgresql.*//me:\*\*\*@127.0.0.1:1/tests",
    ),
    "no address": ([*CALIBRATE, "--responses=postgresql://me:hush@[::1/x"], r"database|address"),
    "a query to a file": (
        [*CALIBRATE, "--responses=answers.csv", "--query=x"],
        r"needs a database",
    ),
    "a time that is none": (
        [*CALIBRATE, "--responses=answers.csv", "--since=now"],
        r"since is not a date.*'now'. write it as|without the column time",
    ),
    "an anchor that is high": (
        [*CALIBRATE, "--responses=answers.csv", "--anchors=anchors.csv"],
        r"item i1 of anchors.csv with an unusable a: received 'high'",
    ),
    "an anchor below zero": (
        [*CALIBRATE, "--responses=answers.csv", "--anchors=negative.csv"],
        r"anchor.*-1",
    ),
    "an anchor from elsewhere": (
        [*CALIBRATE, "--responses=answers.csv", "--anchors=strange.csv"],
        r"1 anchors without a response.*'elsewhere'",
    ),
    "anchors that are not there": (
        [*CALIBRATE, "--responses=answers.csv", f"--anchors={LONG}"],
        r"no such file of item parameters.*xxx\.\.\.",
    ),
    "a publication into a file": (
        [*CALIBRATE, "--responses=answers.csv", "--publish"],
        r"no database to write to: received 'answers.csv'",
    ),
    "a comparison without a name": (
        [*CALIBRATE, "--responses=answers.csv", "--compare=mirt.csv"],
        r"compare: bad comparison: received 'mirt.csv'. write name=file.csv",
    ),
    "an unknown engine": (["calibrate", "--engine=oracle"], r"engine .*'oracle'"),
    "unknown engines": (["calibrate", "--engines=nuts,oracle"], r"oracle"),
    "a pipe of responses": (
        [*CALIBRATE, "--responses=pipe.csv"],
        r"no file of responses.*'pipe.csv'",
    ),
    "a pipe of anchors": (
        [*CALIBRATE, "--responses=answers.csv", "--anchors=pipe.csv"],
        r"pipe or device, and no file of item parameters.*'pipe.csv'",
    ),
    "an item model of no name": ([*CALIBRATE, "--item-model=4pl"], r"item_model .*'4pl'"),
    "graded answers that are binary": (
        [*CALIBRATE, "--responses=binary.csv", "--item-model=graded"],
        r"byte 0xff.*UTF-8",
    ),
    "a guess without a maximum": ([*CALIBRATE, "--c-prior=beta:0.5,$(id)"], r"c_prior.*\$\(id\)"),
    "groups by an escape": (
        [*CALIBRATE, "--responses=answers.csv", "--dif=\x1b[2J"],
        r"without the covariate \\x1b\[2J",
    ),
    "groups of graded answers": (
        [*CALIBRATE, "--item-model=graded", "--dif=sex"],
        r"compared by item_model=1pl or 2pl",
    ),
    "a question for anchors to a file": (
        [*CALIBRATE, "--responses=answers.csv", "--anchor-query=SELECT 1"],
        r"anchor_query: there is no database",
    ),
    "a question for anchors that deletes": (
        [*CALIBRATE, f"--responses={BANK}", f"--anchor-query={DELETE}"],
        r"attempt to write a readonly database",
    ),
    "anchors by a column with an escape": (
        [
            *CALIBRATE,
            "--responses=answers.csv",
            "--anchors=strange.csv",
            "--anchor-a-column=\x1b[2J",
        ],
        r"lacks the column \\x1b\[2J",
    ),
    "a map with an escape": (
        [*CALIBRATE, f"--responses={BANK}", "--publish-map=code=item,model=\x1b[2J"],
        r"neither a value of a calibration nor a constant.*\\x1b\[2J",
    ),
    "a map to a column that is SQL": (
        [*PUBLISH, "--publish-map=item=item,a=a,b=b,why='x',x; DROP TABLE responses=n"],
        r"without the column x; DROP TABLE responses",
    ),
    "a column that gets no value": ([*PUBLISH], r"column why cannot be null and gets no value"),
    "constants that delete": (
        [*PUBLISH, f"--publish-constants={DELETE}"],
        r"attempt to write a readonly database",
    ),
    "a key that is not written": (
        [*PUBLISH, "--publish-map=item=item,a=a,b=b,why='x'", "--publish-key=$(id)"],
        r"publish_key.*'\$\(id\)'",
    ),
    "a publication of no kind": (
        [*PUBLISH, "--publish-mode=replace"],
        r"publish_mode .*'replace'",
    ),
    # score, monthly
    "scores of nobody": (["score", "0" * 32], r"score needs responses"),
    "scores by a stranger": ([*SCORE, "--methods=eap"], r"unknown run: received '0000"),
    "scores with SQL": (["score", "x' OR 1=1", "--responses=answers.csv"], r"not a run id: .*OR"),
    "scores by a way of no name": ([*SCORE, "--methods=eap,$(id)"], r"'\$\(id\)'"),
    "scores without spread": ([*SCORE, "--prior-sd=0"], r"bad value for prior_sd: received '?0"),
    "scores about no number": ([*SCORE, "--prior-mean=nan"], r"bad value for prior_mean.*'nan'"),
    "a month that is none": (["monthly", "--month=2026-13"], r"bad value for month.*'2026-13'"),
    "a month with an escape": (["monthly", "--month=\x1b[2J"], r"bad value for month.*\\x1b\[2J"),
    "a month beside its days": (
        ["monthly", "--month=last", "--since=2026-01-01"],
        r"month sets since and until",
    ),
    "a month by nobody": (["monthly", "--engines=oracle,map"], r"unknown engine.*'oracle'"),
    "a month by one engine": (["monthly", "--engines=map"], r"at least two different ones.*'map'"),
    "a month of a pipe": (
        ["monthly", "--responses=pipe.csv"],
        r"no file of responses.*'pipe.csv'",
    ),
    # experiment
    "no experiment": (["experiment", "nothing"], r"no experiment here: received 'nothing'"),
    "an experiment too long": (["experiment", LONG], r"cannot read the experiment|no experiment"),
    "broken TOML": (["experiment", "experiment_syntax"], r"cannot read the experiment"),
    "deep TOML": (["experiment", "experiment_deep"], r"cannot read the experiment.*nested"),
    "endless digits": (["experiment", "experiment_digits"], r"cannot read the experiment.*digits"),
    "a huge TOML": (["experiment", "experiment_huge"], r"too large.*at most 1 MiB"),
    "binary TOML": (["experiment", "experiment_binary"], r"cannot read the experiment"),
    "no question": (["experiment", "experiment_no_question"], r"without its question.*add"),
    "an unknown key": (["experiment", "experiment_unknown_key"], r"'vari'.*mean vary"),
    "an unknown parameter": (["experiment", "experiment_unknown_parameter"], r"'vary.sead'.*seed"),
    "a value of the wrong kind": (["experiment", "experiment_bad_value"], r"seed .*'two'"),
    "no list": (["experiment", "experiment_no_list"], r"vary.seed: a list of values is needed"),
    "too many runs": (["experiment", "experiment_many"], r"more than 10,000 runs.*--yes"),
    "a vague condition": (["experiment", "experiment_condition"], r"rhat_max: .*'about 1'"),
    "a date for a seed": (["experiment", "experiment_clock"], r"seed "),
    "held and varied": (
        ["experiment", "experiment_held"],
        r"both held and varied: received 'seed'",
    ),
    "workers in words": (["experiment", "small", "--workers=all"], r"workers: received 'all'"),
    "two projects": (["experiment", "a", "b"], r"takes one project: received 'a b'"),
    # what reads runs
    "no run to show": (["show"], r"show takes one run id"),
    "no run id": (["show", "../../etc"], r"not a run id: received '../../etc'. use the 32"),
    "SQL for a run id": (["show", "beef' OR '1'='1"], r"not a run id: .*OR"),
    "a run of no store": (["rerun", "0" * 32], r"unknown run.*tallgrass runs lists"),
    "a promotion of nothing": (["promote", "beef"], r"unknown run: received 'beef'"),
    "nothing to compare": (["compare"], r"no run to compare"),
    "a comparison with a stranger": (["compare", "f" * 32], r"unknown run: received 'ffff"),
    "an unknown experiment": (["runs", "--experiment=none such"], r"unknown experiment.*none such"),
    "a filter of nonsense": (["runs", "--filter=nonsense"], r"bad filter"),
    "a filter that adds a statement": (
        ["runs", "--filter=params.x = '1'; DROP TABLE runs"],
        r"bad filter",
    ),
    "quotes of both kinds": (["runs", "--init=a'b\"c"], r"both kinds of quotes"),
    "a limit of none": (["runs", "--limit=0"], r"bad value for limit: received '0'. use a whole"),
    "a limit without end": (["runs", f"--limit={DIGITS}"], r"bad value for limit.*999\.\.\."),
    "a link of one run": (["link", "beef"], r"link"),
    "a link to a stranger": (["link", "0" * 32, "f" * 32], r"unknown run: received '0000"),
    "a link with SQL": (["link", "x' OR 1=1", "beef"], r"not a run id: .*OR"),
    "a recovery of a path": (["recover", "../../etc"], r"\.\./\.\./etc"),
    "a watch of what": (["monitor", "\x1b[2J"], r"\\x1b\[2J"),
    # simulate, bench, ui
    "no folder": (["simulate"], r"simulate takes one folder"),
    "a folder in use": (["simulate", "small"], r"holds something already: received 'small'"),
    "a folder that is a file": (["simulate", "answers.csv"], r"cannot write the folder"),
    "a folder too long": (["simulate", LONG], r"cannot write the folder.*xxx\.\.\."),
    "a House of one": (["simulate", "new", "--house-members=1"], r"house_members"),
    "a House without end": (["simulate", "new", f"--house-members={DIGITS}"], r"house_members"),
    "a check of few": (["simulate", "new", "--check=3"], r"check: received '3'. use a whole"),
    "a benchmark of what": (["bench", "fly"], r"unknown benchmark: received 'fly'. use cal"),
    "rounds of none": (["bench", "--repeats=0"], r"repeats: received '0'. use a whole number"),
    "unknown adaptations": (["bench", "--adaptations=magic"], r"magic"),
    "a port in words": (["ui", "--port=http"], r"port: received 'http'. use a whole number"),
    "a port beyond all": (["ui", "--port=99999999"], r"port.*'?99999999'?.*65535"),
    "an unknown command": (["rum"], r"unknown command: received 'rum'. did you mean run"),
    "a command with an escape": (["\x1b]0;owned\x07"], r"unknown command: received '\\x1b\]0;"),
    # stores and settings
    "a server that is not there": (
        ["runs", "--tracking-uri=http://me:hush@127.0.0.1:1"],
        r"Connection refused.*\*\*\*@127.0.0.1:1|\*\*\*@127.0.0.1:1.*Connection refused",
    ),
    "a store of no kind": (["runs", "--tracking-uri=gopher://x"], r"gopher://x"),
    "a store that is text": (["runs", "--tracking-uri=sqlite:///answers.csv"], r"not an SQLite"),
    "a threshold below": (["runs", "--threshold-rhat=0.5"], r"threshold_rhat .*greater than 1"),
    "a limit of nothing": (["run", "--limit-input-mib=0"], r"limit_input_mib .*'0'"),
    "a variable in words": (
        {"TALLGRASS_DRAWS": "many"},
        ["run"],
        r"draws .*\[from TALLGRASS_DRAWS\]: received 'many'",
    ),
    "a variable with an escape": (
        {"TALLGRASS_CHAMBER": "\x1b[2J"},
        ["run"],
        r"chamber .*\[from TALLGRASS_CHAMBER\]: received '\\x1b\[2J'",
    ),
    "a secret in a variable": (
        {"TALLGRASS_TRACKING_URI": "postgresql://me:hush@127.0.0.1:1/runs"},
        ["runs"],
        r"me:\*\*\*@127.0.0.1:1",
    ),
    "a bad file of settings": (
        {".env": "TALLGRASS_CHAINS=none\n"},
        ["run"],
        r"chains .*\[from TALLGRASS_CHAINS in .env\]: received 'none'",
    ),
    "a binary file of settings": (
        {".env": b"TALLGRASS_CHAINS=\xff\n"},
        ["run"],
        r".env file.*UTF-8",
    ),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    with default_store(folder):
        made_run()
        write_all(folder)
        yield folder


def kept(folder):
    """Every file and folder with its size, and every run with its state."""
    with sqlite3.connect(folder / "mlflow.db") as database:
        runs = database.execute("SELECT run_uuid, status FROM runs ORDER BY 1").fetchall()
    files = {
        place / name
        for place, folders, names in folder.walk()
        for name in (*folders, *names)
        if not name.startswith("mlflow.db")
    }
    return runs, files


@pytest.mark.parametrize("case", BAD.values(), ids=BAD)
def test_bad_input_is_one_line_that_helps_and_leaves_nothing_behind(
    place, monkeypatch, capsys, case
):
    *surroundings, words, expected = case
    for name, value in (surroundings[0] if surroundings else {}).items():
        if name == ".env":
            data = value if isinstance(value, bytes) else value.encode()
            (place / "elsewhere").mkdir(exist_ok=True)
            (place / "elsewhere" / ".env").write_bytes(data)
            monkeypatch.chdir(place / "elsewhere")
        else:
            monkeypatch.setenv(name, value)
    before = kept(place)
    status = main(words)
    out, err = capsys.readouterr()
    lines = [line for line in err.splitlines() if line.startswith("tallgrass: error: ")]
    assert status == 2, err
    assert len(lines) == 1, err
    assert re.search(expected, lines[0]), lines[0]
    assert out == ""
    assert "Traceback" not in err
    assert "hush" not in err
    assert err.replace("\n", "").isprintable()
    assert kept(place) == before


def test_there_are_at_least_sixty_bad_inputs():
    assert len(BAD) >= 60
