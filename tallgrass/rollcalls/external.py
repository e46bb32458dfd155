"""Published scores of the same people, held against the ideal points of a run.

People are matched one to one, by the first of these that is unique on both sides: the slug, the
ICPSR number (which the slugs of Voteview's members end in), the name and district, the whole name,
the last name and party. Who is left over on either side is listed.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from tallgrass.errors import DataError
from tallgrass.rollcalls.compare import Comparison, compare_estimates, fixed_members
from tallgrass.rollcalls.score_files import read_scores
from tallgrass.rollcalls.sources import voteview

if TYPE_CHECKING:
    from tallgrass.rollcalls.reading import Read
    from tallgrass.rollcalls.spec import RunSpec
    from tallgrass.rollcalls.votes import VoteMatrix

_LEAST = 3
_SUFFIXES = {"jr", "sr", "ii", "iii", "iv"}


@dataclass(frozen=True, eq=False)
class External:
    """Scores of others beside the ideal points of a run.

    Parameters
    ----------
    name : str
        What the scores are called: the name of their file.
    comparison : Comparison
        Agreement of those who were matched; the scores are the reference.
    table : DataFrame
        One row a matched member: slug, name, party, ideal_point, score, rank, rank_score,
        rank_change, matched_by.
    r_plane : float
        Of a run in two dimensions, the multiple correlation of the scores with both axes: how well
        some direction on the map is the line of the scores. NaN in one dimension.
    without_score, without_member : tuple of str
        Members that have no score, and people of the file that are not in the run.
    """

    name: str
    comparison: Comparison
    table: pd.DataFrame
    without_score: tuple[str, ...]
    without_member: tuple[str, ...]
    r_plane: float = float("nan")

    @property
    def metrics(self) -> dict[str, float]:
        """``external/<name>/r`` and so on; within parties of at least three."""
        values = {
            "r": self.comparison.r,
            "spearman": self.comparison.spearman,
            "n": float(self.comparison.n_compared),
            "r_plane": self.r_plane,
        }
        for party, agreement in self.comparison.within.items():
            values[f"r_within_{re.sub(r'[^a-z0-9]+', '_', party.lower())}"] = agreement.r
        label = re.sub(r"[^A-Za-z0-9_.-]+", "_", self.name)
        return {f"external/{label}/{k}": float(v) for k, v in values.items() if np.isfinite(v)}


def compare_scores(ideal: pd.DataFrame, scores: pd.DataFrame, name: str) -> External:
    """Hold scores against ideal points.

    Parameters
    ----------
    ideal : DataFrame
        Table of ideal points of a run: slug, name, party, district, mean, anchor.
    scores : DataFrame
        From :func:`read_scores`.
    name : str
        What the scores are called.

    Raises
    ------
    DataError
        When fewer than three people are in both.
    """
    pairs = _require_matches(ideal, scores)
    members = ideal.assign(slug=ideal["slug"].astype(str)).set_index("slug")
    slugs = [str(ideal["slug"].iloc[i]) for i, _, _ in pairs]
    values = pd.Series([float(scores["score"].iloc[j]) for _, j, _ in pairs], index=slugs)
    chosen = members.loc[slugs]
    fixed = fixed_members(ideal) & set(slugs)
    comparison = compare_estimates(chosen["mean"], values, chosen["party"], fixed)
    by_slug = comparison.table.set_index("slug").loc[slugs]
    table = pd.DataFrame(
        {
            "slug": slugs,
            "name": chosen["name"].to_numpy(),
            "party": chosen["party"].to_numpy(),
            "ideal_point": chosen["mean"].to_numpy(float),
            "score": values.to_numpy(),
            "rank": by_slug["rank_current"].to_numpy(),
            "rank_score": by_slug["rank_reference"].to_numpy(),
            "rank_change": by_slug["rank_change"].to_numpy(),
            "matched_by": [how for _, _, how in pairs],
        }
    )
    rest = set(range(len(ideal))) - {i for i, _, _ in pairs}
    others = set(range(len(scores))) - {j for _, j, _ in pairs}
    return External(
        name,
        comparison,
        table,
        tuple(str(ideal["name"].iloc[i]) for i in sorted(rest)),
        tuple(str(scores["name"].iloc[j] or scores["slug"].iloc[j]) for j in sorted(others)),
        _plane_r(chosen, values.to_numpy()) if "mean_2" in chosen else float("nan"),
    )


def _plane_r(members: pd.DataFrame, scores: np.ndarray) -> float:
    """Correlation of the scores with their best linear prediction from both axes."""
    axes = np.column_stack([np.ones(len(members)), members[["mean", "mean_2"]].to_numpy(float)])
    predicted = axes @ np.linalg.lstsq(axes, scores, rcond=None)[0]
    return float(np.corrcoef(predicted, scores)[0, 1])


def _require_matches(ideal: pd.DataFrame, scores: pd.DataFrame) -> list[tuple[int, int, str]]:
    pairs = _matched(ideal, scores)
    if len(pairs) < _LEAST:
        raise DataError(
            "the scores share too few people with the run",
            f"{len(pairs)} of {len(ideal)} members matched",
            "look at the names: --name-column COLUMN",
        )
    return pairs


def _matched(ideal: pd.DataFrame, scores: pd.DataFrame) -> list[tuple[int, int, str]]:
    """Rows of the two tables that are one person, and what they were matched by."""
    people = ideal.assign(icpsr=ideal["slug"].astype(str).str.extract(r"(\d+)$", expand=False))
    keys: list[tuple[str, Callable[[pd.Series], str]]] = [
        ("slug", lambda row: str(row.get("slug") or "")),
        ("ICPSR", lambda row: str(row.get("icpsr") or "").removesuffix(".0")),
        ("name and district", lambda row: _joined(_last(row["name"]), _district(row))),
        ("name", lambda row: " ".join(_words(row["name"]))),
        ("last name and party", lambda row: _joined(_last(row["name"]), row["party"][:1].upper())),
    ]
    left, right = set(range(len(people))), set(range(len(scores)))
    pairs = []
    for how, key in keys:
        mine, theirs = (
            _unique({i: key(table.iloc[i]) for i in rows})
            for table, rows in ((people.fillna(""), left), (scores, right))
        )
        for value in sorted(mine.keys() & theirs.keys()):
            pairs.append((mine[value], theirs[value], how))
            left.discard(mine[value])
            right.discard(theirs[value])
    return sorted(pairs)


def _unique(keys: dict[int, str]) -> dict[str, int]:
    """Row by key, for keys that one row alone has."""
    counts = pd.Series(list(keys.values()), dtype=object).value_counts()
    return {key: row for row, key in keys.items() if key and counts[key] == 1}


def _joined(*parts: str) -> str:
    return "|".join(parts) if all(parts) else ""


def _words(name: str) -> list[str]:
    """The words of a name in order of the alphabet, without initials, suffixes and accents."""
    plain = unicodedata.normalize("NFKD", str(name)).encode("ascii", "ignore").decode().lower()
    parts = re.findall(r"[a-z']+", re.sub(r"\(.*?\)", " ", plain))
    return sorted(w for w in parts if len(w) > 1 and w not in _SUFFIXES)


def _last(name: str) -> str:
    """The last name: what stands before a comma, else the last word."""
    plain = unicodedata.normalize("NFKD", str(name)).encode("ascii", "ignore").decode().lower()
    before, comma, _ = re.sub(r"\(.*?\)", " ", plain).partition(",")
    parts = [w for w in re.findall(r"[a-z']+", before) if w not in _SUFFIXES]
    return (" ".join(parts) if comma else parts[-1]) if parts else ""


def _district(row: pd.Series) -> str:
    """The number of a district without zeros in front, else its letters (a state)."""
    text = str(row["district"])
    number = re.search(r"(\d+)\s*$", text)
    return str(int(number.group(1))) if number else text.strip().upper()


class Scores(NamedTuple):
    """Scores to hold a run against: what they are called, and a table of :func:`read_scores`."""

    name: str
    table: pd.DataFrame


def scores_for(spec: "RunSpec", data: "Read") -> Scores | None:
    """The scores that a run is to be compared with; those of Voteview's members file by itself.

    Raises
    ------
    DataError
        When a file that was asked for cannot be read, or knows fewer than three of the members.
    """
    if not spec.against:
        found = voteview.nominate(Path(data.location)) if data.source == "voteview" else None
        if found is None or len(_matched(_people(data.votes), found)) < _LEAST:
            return None
        return Scores("nominate", found)
    chamber = spec.chamber if spec.chamber in ("house", "senate") else ""
    table = read_scores(spec.against, chamber=chamber)
    _require_matches(_people(data.votes), table)
    return Scores(Path(spec.against).name.partition(".")[0], table)


def _people(votes: "VoteMatrix") -> pd.DataFrame:
    members = [(m.slug, m.name, m.party, m.district) for m in votes.legislators]
    return pd.DataFrame(members, columns=["slug", "name", "party", "district"])
