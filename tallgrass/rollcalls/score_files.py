"""Published scores of legislators from a CSV file: which column, whose."""

import csv
import re
from pathlib import Path

import numpy as np
import pandas as pd

from tallgrass.errors import DataError, nearest, shown
from tallgrass.inputs.tables import open_bytes, parse_table, separator_of
from tallgrass.rollcalls.sources import words

_NAMES = ("name", "full_name", "legislator", "bioname", "member")
_SCORES = ("nominate_dim1", "np_score", "score", "ideal_point", "mean")
_NO_SCORES = re.compile(
    r"(^|_)(id|icpsr|district|code|year|congress|born|died|n|number|votes)(_|$)"
)


def read_scores(
    path: str | Path, score_column: str = "", name_column: str = "", chamber: str = ""
) -> pd.DataFrame:
    """Scores from a CSV file.

    Parameters
    ----------
    path : str or Path
        A CSV file, plain or gzipped, with a row a person.
    score_column : str
        The column of scores; by default a known name (nominate_dim1, np_score, score), else the
        only column of numbers that is not an id.
    name_column : str
        The column of names; by default name, full_name, legislator, bioname or member.
    chamber : str
        Keep only rows of this chamber, where the file has a column ``chamber``.

    Returns
    -------
    DataFrame
        Columns score (float) and name, party, district, slug, icpsr (text, empty where unknown).

    Raises
    ------
    DataError
        When the file cannot be read, has no such column, or no scores.
    """
    file = Path(path)
    if not file.is_file():
        raise DataError("no such file of scores", str(path), "give the path of a CSV file")
    with open_bytes(file) as stream:
        data = stream.read()
    table = parse_table(data, shown(file.name), (), _header(data))
    if chamber and "chamber" in table:
        table = table[words.in_chamber(table["chamber"], chamber)]
    column = _column(table, score_column, _SCORES, "score") or _only_numbers(table)
    name = _column(table, name_column, _NAMES, "name")
    scores = pd.DataFrame({"score": pd.to_numeric(table[column], errors="coerce")})
    sources = {"name": name, **{c: c for c in ("party", "district", "slug", "icpsr")}}
    for target, source in sources.items():
        scores[target] = table[source].to_numpy() if source in table else ""
    scores = pd.DataFrame(scores[np.isfinite(scores["score"])]).reset_index(drop=True)
    if not len(scores):
        raise DataError(f"no numbers in the column {column}", shown(file.name), "name another one")
    return pd.DataFrame(scores)


def _header(data: bytes) -> list[str]:
    first = data.decode("utf-8-sig", "replace").splitlines()[:1]
    fields = next(csv.reader(first, delimiter=separator_of(data)), [])
    return [field.strip() for field in fields]


def _column(table: pd.DataFrame, asked: str, known: tuple[str, ...], what: str) -> str:
    if asked:
        if asked not in table:
            raise DataError(
                f"no such {what} column", asked, nearest(asked, [str(c) for c in table.columns])
            )
        return asked
    return next((c for c in known if c in table), "")


def _only_numbers(table: pd.DataFrame) -> str:
    numeric = [
        str(c)
        for c in table.columns
        if not _NO_SCORES.search(str(c).lower())
        and pd.to_numeric(table[c], errors="coerce").notna().mean() > 0.5
    ]
    if len(numeric) == 1:
        return numeric[0]
    raise DataError(
        "which column holds the scores is not clear",
        ", ".join(numeric or map(str, table.columns)),
        "name it: --score-column COLUMN",
    )
