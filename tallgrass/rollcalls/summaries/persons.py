"""Tables of persons in a dynamic run: who they are, and how far they moved between two sessions."""

import numpy as np
import pandas as pd

from tallgrass.inference.summary import Draws, hdi
from tallgrass.rollcalls.careers import Careers


def seats_of(careers: Careers) -> dict[str, list[int]]:
    """By person the rows of the member-sessions, sitting after sitting, in the order of time."""
    seats: dict[str, list[int]] = {}
    for row, person in enumerate(careers.persons.of_seat):
        seats.setdefault(person, []).append(row)
    for rows in seats.values():
        rows.sort(key=lambda row: (careers.sittings[careers.sitting_of_row[row]].time, row))
    return dict(sorted(seats.items()))


def changes(xi: Draws, careers: Careers, seats: dict[str, list[int]]) -> pd.DataFrame:
    """The change of position of every person between any two of the person's sessions.

    Parameters
    ----------
    xi : ndarray, shape (n_member_sessions, n_draws)
        Positions, sitting after sitting.
    seats : dict
        From :func:`seats_of`.

    Returns
    -------
    DataFrame
        person, name, party (in the later session), first, first_chamber, last, last_chamber,
        bienniums between, span (``step``: seats that follow each other; ``career``: the first and
        the last; both for a person of two seats: ``step``; ``other``), change, sd, hdi_low,
        hdi_high, p_right (probability that the later position is farther to the right); those of
        the largest change first.
    """
    members = [m for s in careers.sittings for m in s.votes.legislators]
    rows = []
    for person, own in seats.items():
        for a in range(len(own)):
            for b in range(a + 1, len(own)):
                first, last = own[a], own[b]
                sittings = [careers.sittings[careers.sitting_of_row[r]] for r in (first, last)]
                change = xi[last] - xi[first]
                low, high = map(float, hdi(change))
                span = "step" if b == a + 1 else "other"
                if b - a == len(own) - 1 > 1:
                    span = "career"
                rows.append(
                    [
                        person,
                        members[last].name,
                        members[last].party,
                        *(x for s in sittings for x in (s.session, s.chamber)),
                        sittings[1].time - sittings[0].time,
                        span,
                        change.mean(),
                        change.std(ddof=1),
                        low,
                        high,
                        (change > 0).mean(),
                    ]
                )
    columns = ["person", "name", "party", "first", "first_chamber", "last", "last_chamber"]
    columns += ["bienniums", "span", "change", "sd", "hdi_low", "hdi_high", "p_right"]
    table = pd.DataFrame(rows, columns=columns)
    order = table["change"].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)


def members(careers: Careers, seats: dict[str, list[int]], changed: pd.DataFrame) -> pd.DataFrame:
    """One row a person: who is meant, where and when, the change over the career, and notes.

    Columns: person, name, parties, chambers, n_sessions, first, last (sessions), slugs (``@``
    before the session), change, p_right (NaN with one session), note (what is unsure).
    """
    people = [m for s in careers.sittings for m in s.votes.legislators]
    # A person of two seats has one change, that of a step.
    over = changed[changed["span"] == "career"].set_index("person")
    single = changed.drop_duplicates("person", keep=False).set_index("person")
    whole = pd.concat([over, single[~single.index.isin(over.index)]])
    change, p_right = (dict(whole[name].items()) for name in ("change", "p_right"))
    rows = []
    for person, own in seats.items():
        sittings = [careers.sittings[careers.sitting_of_row[row]] for row in own]
        rows.append(
            {
                "person": person,
                "name": people[own[-1]].name,
                "parties": ", ".join(dict.fromkeys(people[row].party for row in own)),
                "chambers": ", ".join(dict.fromkeys(s.chamber for s in sittings)),
                "n_sessions": len({s.session for s in sittings}),
                "first": sittings[0].session,
                "last": sittings[-1].session,
                "slugs": ", ".join(
                    f"{people[row].slug}@{s.session}" for row, s in zip(own, sittings, strict=True)
                ),
                "change": change.get(person, np.nan),
                "p_right": p_right.get(person, np.nan),
                "note": "; ".join(careers.persons.notes.get(person, ())),
            }
        )
    return pd.DataFrame(rows)
