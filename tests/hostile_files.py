"""A folder of inputs that nobody should send, each bad in one way."""

import gzip
import json
import os
import sqlite3
import zipfile
from pathlib import Path

import pyarrow
import pyarrow.parquet
from example_session import LEGISLATORS, ROLLCALLS, VOTES

ANSWERS = "user,item,response\n" + "".join(
    f"u{u},i{i},{(u * i) % 2}\n" for u in range(30) for i in range(5)
)
LEGISCAN = {
    "rollcalls": "roll_call_id,bill_id,date,chamber,description\n1,7,2025-01-20,House,Motion\n",
    "bills": "bill_id,bill_number,title\n7,HB7,Title\n",
    "people": "people_id,name,party,role,district\n5,Ann,D,Rep,HD-1\n6,Bob,R,Rep,HD-2\n",
    "votes": "roll_call_id,people_id,vote\n1,5,1\n1,6,2\n",
}


def session(folder: Path, name: str, **files: str | bytes | None) -> None:
    """A session in the tallgrass layout with some of its files replaced, or left out (None)."""
    place = folder / name
    place.mkdir()
    parts = {"votes": VOTES, "rollcalls": ROLLCALLS, "legislators": LEGISLATORS} | files
    for part, text in parts.items():
        if text is not None:
            data = text.encode() if isinstance(text, str) else text
            (place / f"{name}_{part}.csv").write_bytes(data)


def zipped(path: Path, files: dict[str, str | bytes], inside: str = "KS/2025/csv/") -> None:
    """A zip as LegiScan hands it out."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, text in files.items():
            archive.writestr(f"{inside}{part}.csv", text)


def write_all(folder: Path) -> None:
    """Write every file."""
    _sessions(folder)
    _archives(folder)
    _responses(folder)
    _experiments(folder)


def _sessions(folder: Path) -> None:
    session(folder, "small")
    session(folder, "no_rollcalls", rollcalls=None)
    session(folder, "empty", votes="")
    session(folder, "nul", votes=VOTES.encode().replace(b"Yea", b"Y\0a"))
    session(folder, "latin", legislators=LEGISLATORS.replace("Ann", "Zoë").encode("latin-1"))
    session(folder, "no_column", votes=VOTES.replace("legislator_slug", "who"))
    session(folder, "twice", votes=VOTES.replace("vote_id,", "vote_id, vote_id,", 1))
    session(folder, "lone_quote", votes=VOTES + '"v1,rep_a,Yea\n')
    session(folder, "word", votes=VOTES.replace("Nay", "Never\x1b[31m"))
    session(folder, "stranger", votes=VOTES + "v1,rep_z,Yea\n")
    session(folder, "again", votes=VOTES + "v1,rep_a,Nay\n")
    session(folder, "undated", rollcalls=ROLLCALLS.replace("2025-01-20T", "soon "))
    session(folder, "wide", votes=",".join(f"c{i}" for i in range(30_000)) + "\n")
    session(folder, "ragged", votes=VOTES + "v1,rep_a,Yea,extra\n")
    session(folder, "nameless", legislators=LEGISLATORS.replace(",rep_a,", ",,"))
    packed = gzip.compress(VOTES.encode())
    session(folder, "cut", votes=packed[: len(packed) // 2])
    session(folder, "bomb", votes=gzip.compress(VOTES.encode() + b"\n" * 50_000_000))
    (folder / "nothing").mkdir()


def _archives(folder: Path) -> None:
    zipped(folder / "good.zip", LEGISCAN)
    (folder / "text.zip").write_text("not a zip")
    (folder / "cut.zip").write_bytes((folder / "good.zip").read_bytes()[:-40])
    zipped(folder / "missing.zip", {k: v for k, v in LEGISCAN.items() if k != "bills"})
    zipped(folder / "bomb.zip", LEGISCAN | {"votes": LEGISCAN["votes"] + "\n" * 50_000_000})
    with zipfile.ZipFile(folder / "many.zip", "w") as archive:
        for i in range(10_001):
            archive.writestr(f"{i}.csv", "")
    with zipfile.ZipFile(folder / "two.zip", "w") as archive:
        for place in ("KS/2025/csv", "KS/2026/csv"):
            for part, text in LEGISCAN.items():
                archive.writestr(f"{place}/{part}.csv", text)


def _responses(folder: Path) -> None:
    (folder / "answers.csv").write_text(ANSWERS)
    (folder / "coded.csv").write_text(ANSWERS.replace("u1,i1,1", "u1,i1,2"))
    (folder / "shifted.csv").write_text("user,item,response\n" + "x,u1,i1,1\n" * 9)
    (folder / "columns.csv").write_text(ANSWERS.replace("response", "answer"))
    (folder / "blank.csv").write_text("")
    (folder / "binary.csv").write_bytes(b"user,item,response\n\xff\xfe,1,1\n")
    (folder / "half.parquet").write_bytes(b"PAR1" + b"\0" * 50)
    lists = pyarrow.table({"user": ["a"], "item": ["b"], "response": [[1, 0]]})
    pyarrow.parquet.write_table(lists, folder / "lists.parquet")
    (folder / "anchors.csv").write_text("item,a,b\ni1,high,0\n")
    (folder / "negative.csv").write_text("item,a,b\ni1,-1,0\n")
    (folder / "strange.csv").write_text("item,a,b\nelsewhere,1,0\n")
    os.mkfifo(folder / "pipe.csv")
    with sqlite3.connect(folder / "bank.db") as database:
        database.execute("CREATE TABLE responses (user, item, response)")
        rows = [line.split(",") for line in ANSWERS.splitlines()[1:]]
        database.executemany("INSERT INTO responses VALUES (?, ?, ?)", rows)
        database.execute("CREATE TABLE item_parameters (item, a REAL, b REAL, why TEXT NOT NULL)")
    (folder / "answers.csv.gz").write_bytes(
        gzip.compress(ANSWERS.encode() + b"u,i,1\n" * 10_000_000)
    )


def _experiments(folder: Path) -> None:
    good = 'question = "?"\n[vary]\nseed = [1, 2]\n'
    texts = {
        "syntax": "question = ",
        "deep": "question = " + "[" * 100_000,
        "digits": "question = " + "9" * 10_000,
        "huge": "# " + "x" * 2_000_000,
        "no_question": "[vary]\nseed = [1]\n",
        "unknown_key": good.replace("vary", "vari"),
        "unknown_parameter": good.replace("seed", "sead"),
        "bad_value": good.replace("2]", '"two"]'),
        "no_list": good.replace("[1, 2]", "1"),
        "many": good.replace("[1, 2]", json.dumps(list(range(10_001)))),
        "condition": good + '[[expect]]\nrhat_max = "about 1"\n',
        "clock": good.replace("2]", "2026-01-01]"),
        "held": good + "[hold]\nseed = 1\n",
    }
    for name, text in texts.items():
        place = folder / f"experiment_{name}"
        place.mkdir()
        (place / "experiment.toml").write_text(text)
    binary = folder / "experiment_binary"
    binary.mkdir()
    (binary / "experiment.toml").write_bytes(b"question = '\xff'\n")
