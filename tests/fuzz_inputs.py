"""Hostile inputs by the thousand: well-formed ones of strange words, then broken byte by byte.

Every input comes from one number, so that a failing one can be made again.
"""

import gzip
import io
import json
import random
import zipfile

from example_session import LEGISLATORS, ROLLCALLS, VOTES
from hostile_files import ANSWERS, LEGISCAN

from tallgrass.rollcalls.spec import RunSpec

WORDS = [
    "", " ", "0", "1", "-1", "1.0", "2025-01-20", "0000-00-00", "13/32/2025", "nan", "inf", "NA",
    "null", "1e400", "9" * 30, "9" * 5000, "Yea", "yea", "Nay", "House", "senate", "President",
    "rep_a", "v1", "s1", "u1", "i1", "é", "\u202e", "\ufeff", "\x1b[31m", "\x00", "\x85", "\u2028",
    "😀", "=1+1", "<script>", "'", '"', '""', ",", ";", "\t", "\n", "\r", "\r\n", "\\", "{{7*7}}",
    "$x$", "../..", "C:\\con", "a" * 300, "٣", "İ", "ß", "\ud7ff", "\U0010ffff", "true", "[1]",
]  # fmt: skip
VOTEVIEW_VOTES = (
    "congress,chamber,rollnumber,icpsr,cast_code\n" + "109,Senate,1,1001,1\n109,Senate,1,1002,6\n"
)
VOTEVIEW_MEMBERS = (
    "congress,chamber,icpsr,state_abbrev,district_code,bioname,party_code\n"
    '109,Senate,1001,KS,0,"A, Ann",100\n109,Senate,1002,KS,0,"B, Bob",200\n'
)
OPENSTATES = {
    "votes": "id,motion_text,motion_classification,start_date,organization_id,bill_id\n"
    "ocd-vote/1,Passage,['passage'],2025-03-20,ocd-organization/u,ocd-bill/1\n",
    "vote_people": "id,vote_event_id,option,voter_name,voter_id\n"
    "1,ocd-vote/1,yes,Ann,ocd-person/a\n2,ocd-vote/1,no,Bob,ocd-person/b\n",
    "vote_counts": "id,vote_event_id,option,value\n1,ocd-vote/1,yes,1\n2,ocd-vote/1,no,1\n",
    "bills": "id,identifier,title\nocd-bill/1,SB 1,About\n",
    "organizations": "id,classification,parent_id\nocd-organization/u,upper,\n",
    "people": "id,name,current_party,current_chamber\nocd-person/a,Ann,Democratic,upper\n",
}
API = (
    '{"results": [{"identifier": "SB 1", "title": "About", "session": "2025", "jurisdiction": '
    '{"name": "Kansas"}, "votes": [{"id": "ocd-vote/1", "motion_text": "Passage", '
    '"motion_classification": ["passage"], "start_date": "2025-03-20", "organization": '
    '{"classification": "upper"}, "counts": [{"option": "yes", "value": 1}], "votes": [{"option": '
    '"yes", "voter_name": "Ann", "voter": {"id": "ocd-person/a", "name": "Ann", "party": '
    '"Democratic", "current_role": {"district": "1", "org_classification": "upper"}}}]}]}]}'
)
ANCHORS = "item,a,b,a_sd,b_sd\ni1,1,0,0.1,0.1\ni2,2,-1,,\n"
TOML = (
    'name = "x"\nquestion = "?"\nexpect = [{ init = "pca", verdict = "pass" }, '
    '{ rhat_max = "> 2 * baseline" }]\n[hold]\nchamber = "senate"\n[vary]\nseed = [1, 2]\n'
    'init = ["pca", "none"]\n[baseline]\ninit = "pca"\n[thresholds]\nrhat = 1.05\n'
)
PRIOR_WORDS = [
    "normal", "lognormal", "lognormal_reparam", "halfnormal", "cauchy", ":", ",", "0", "1", "-1",
    "1e308", "1e-320", "1e400", "nan", "-inf", "0x1", "1_0", " ", "\n", "٣", "½", "__import__",
    "(", ")", "{", "}", "%s", "\x00", "9" * 400, "1" * 5000,
]  # fmt: skip


def table(random_: random.Random, text: str) -> bytes:
    """A CSV table with some of its cells, columns or rows replaced, in some encoding, or broken."""
    rows = [line.split(",") for line in text.splitlines()]
    for _ in range(random_.choice([0, 1, 1, 2, 5])):
        row = random_.choice(rows)
        change = random_.randrange(6)
        if change == 0:
            row[random_.randrange(len(row))] = random_.choice(WORDS)
        elif change == 1:
            row.append(random_.choice(WORDS))
        elif change == 2 and len(row) > 1:
            row.pop(random_.randrange(len(row)))
        elif change == 3:
            rows.insert(random_.randrange(len(rows)), [random_.choice(WORDS) for _ in row])
        elif change == 4:
            row[random_.randrange(len(row))] = '"' + random_.choice(WORDS).replace('"', '""') + '"'
        else:
            random_.shuffle(row)
    data = "\n".join(map(",".join, rows)).encode(
        random_.choice(["utf-8"] * 12 + ["utf-8-sig", "utf-16", "latin-1"]), "replace"
    )
    data = broken(random_, data)
    if random_.random() < 0.1:
        data = gzip.compress(data, 1)
        data = broken(random_, data)
    return data


def broken(random_: random.Random, data: bytes) -> bytes:
    """Bytes, three times in four as they are, else cut, repeated or changed in places."""
    if random_.random() < 0.75:
        return data
    out = bytearray(data)
    for _ in range(random_.choice([1, 1, 2, 8])):
        if not out:
            break
        at = random_.randrange(len(out))
        change = random_.randrange(6)
        if change == 0:
            out[at] = random_.randrange(256)
        elif change == 1:
            out[at:at] = random_.randbytes(random_.choice([1, 2, 30]))
        elif change == 2:
            del out[at : at + random_.choice([1, 4, 40])]
        elif change == 3:
            del out[at:]
        elif change == 4:
            out[at : at + 4] = random_.choice([b"\xff\xff\xff\xff", bytes(4), b"\x7f\xff\xff\xff"])
        else:
            end = at + random_.randrange(1, 60)
            out[at:at] = out[at:end] * random_.choice([1, 3])
    return bytes(out)


def session_files(random_: random.Random) -> dict[str, bytes]:
    """The files of a session in the tallgrass layout, one of them strange."""
    files = {"votes": VOTES, "rollcalls": ROLLCALLS, "legislators": LEGISLATORS}
    return _one_strange(random_, files)


def voteview_files(random_: random.Random) -> dict[str, bytes]:
    """The files of a Congress, one of them strange."""
    return _one_strange(random_, {"votes": VOTEVIEW_VOTES, "members": VOTEVIEW_MEMBERS})


def archive(random_: random.Random) -> bytes:
    """A zip as LegiScan hands it out: strange tables, names and methods, or broken bytes."""
    buffer = io.BytesIO()
    methods = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
    folders = ["KS/2025/csv/", "KS/2025/csv/", "", "../../", "/", "C:\\", "é/"]
    with zipfile.ZipFile(buffer, "w", random_.choice(methods)) as made:
        usual = random_.choice(folders)
        for part, data in _one_strange(random_, LEGISCAN).items():
            # Files of one zip are mostly together: strange places alone are never a session.
            folder = usual if random_.random() < 0.8 else random_.choice(folders)
            name = zipfile.ZipInfo(f"{folder}{part}.csv")
            if random_.random() < 0.05:
                name.external_attr = 0o120777 << 16  # a symbolic link
            made.writestr(name, data)
    return broken(random_, buffer.getvalue())


def openstates_files(random_: random.Random) -> dict[str, bytes]:
    """The CSV files of a session of OpenStates, one of them strange."""
    return _one_strange(random_, OPENSTATES)


def openstates_json(random_: random.Random) -> bytes:
    """An answer of OpenStates' API with strange keys and values, or broken bytes."""
    answer = json.loads(API)
    for _ in range(random_.choice([0, 1, 1, 2, 5])):
        place = answer
        while True:  # down to some value
            keys = list(place) if isinstance(place, dict) else range(len(place))
            if not keys:
                break
            key = random_.choice(list(keys))
            if isinstance(place[key], dict | list) and random_.random() < 0.8:
                place = place[key]
                continue
            values = [None, [], {}, 0, -1.5, True, 10**400, [[1]], {"id": 1}]
            place[key] = random_.choice([random_.choice(WORDS), random_.choice(values)])
            break
    return broken(random_, json.dumps(answer).encode())


def prior(random_: random.Random) -> str:
    """The text of a prior, or nearly."""
    form = random_.choice(["normal:0,1", "halfnormal:1", "lognormal:0,1", "lognormal_reparam:0,1"])
    if random_.random() < 0.5:
        return "".join(random_.choice(PRIOR_WORDS) for _ in range(random_.randrange(7)))
    return broken(random_, form.encode()).decode(errors=random_.choice(["replace", "ignore"]))


def toml(random_: random.Random) -> bytes:
    """An experiment with strange keys and values, or broken bytes."""
    lines = TOML.splitlines()
    for _ in range(random_.choice([0, 1, 1, 2, 4])):
        key = random_.choice(
            [*RunSpec.model_fields, "name", "question", "vary", "hold", "extra", "expect",
             "verdict", "rhat_max", "baseline", "thresholds", '""', '"\\u0000"', "a.b.c", "session"]
        )  # fmt: skip
        line = f"{key} = {_value(random_)}"
        lines.insert(random_.randrange(len(lines) + 1), line)
        if random_.random() < 0.3:
            lines.pop(random_.randrange(len(lines)))
        if random_.random() < 0.2:
            header = random_.choice(["[[extra]]", "[[expect]]", "[vary]", "[hold]", "[baseline]"])
            lines.insert(random_.randrange(len(lines) + 1), header)
    return broken(random_, "\n".join(lines).encode("utf-8", "replace"))


def answers(random_: random.Random) -> bytes:
    """Responses, long or wide, some strange."""
    wide = "user,i1,i2,i3\nu1,0,1,1\nu2,1,0,\nu3,1,1,0\n"
    timed = "user,item,response,time\nu1,i1,1,2025-01-01\nu2,i1,0,2025-01-02T10:00:00Z\n"
    return table(random_, random_.choice([ANSWERS[:200], wide, timed]))


def anchors(random_: random.Random) -> bytes:
    """Anchors, some strange."""
    return table(random_, ANCHORS)


def _one_strange(random_: random.Random, files: dict[str, str]) -> dict[str, bytes]:
    strange = random_.choice(list(files))
    return {
        part: table(random_, text) if part == strange else text.encode()
        for part, text in files.items()
    }


def _value(random_: random.Random, depth: int = 0) -> str:
    plain = ["0", "-1", "1.5", "nan", "inf", "0x" + "f" * 20, "1" * 5000, "1e999", "true",
             "2025-01-01", "2025-01-01T00:00:00Z", "07:32:00", '"pca"', '"none"', '"< 1.01"',
             '["house", "senate"]', "[1, 2]", '"auto"']  # fmt: skip
    paths = ["*", "a/*", "[", "?" * 5, "x" * 4000 + "/*", "\0/*"]
    inner = [_value(random_, depth + 1) for _ in range(random_.randrange(4))] if depth < 3 else []
    return random_.choice(
        [
            *random_.sample(plain, 4),
            json.dumps(random_.choice(WORDS).encode("utf-8", "replace").decode()),
            json.dumps(random_.choice(paths)),
            "[" + ", ".join(inner) + "]",
            "{ init = " + (inner or ["1"])[0] + " }",
            "[" * random_.choice([2, 20, 3000]) + "]" * random_.choice([2, 20, 3000]),
        ]
    )
