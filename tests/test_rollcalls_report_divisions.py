import numpy as np
import pandas as pd
from example_trace import example_votes

from tallgrass.rollcalls.report.divisions import divisions


def table(votes, beta):
    ids = [rollcall.vote_id for rollcall in votes.rollcalls]
    return pd.DataFrame({"vote_id": ids, "beta": beta, "cut_point": 0.0})


def along_party_lines(votes):
    """Votes in which every roll call is one party against the other."""
    cells = np.where((votes.party_index == 1)[:, None], 1, -1) * np.ones_like(votes.cells)
    return type(votes)(cells, votes.legislators, votes.rollcalls, votes.session, votes.chamber)


def test_roll_calls_that_divide_the_majority_are_chosen_before_sharper_party_lines():
    votes, _ = example_votes()
    cells = along_party_lines(votes).cells.copy()
    majority = np.flatnonzero(votes.party_index == 1)
    for rollcall in (4, 7, 9):
        cells[majority[:4], rollcall] = -1
    cells[majority[0], 11] = -1  # a single one is no division
    mixed = type(votes)(cells, votes.legislators, votes.rollcalls, votes.session, votes.chamber)
    beta = np.linspace(9, 1, len(votes.rollcalls))
    chosen, party = divisions(table(mixed, beta), mixed)
    assert party == "Republican"
    assert list(chosen["vote_id"]) == [mixed.rollcalls[j].vote_id for j in (4, 7, 9)]
    assert list(chosen["own_nay"]) == [4, 4, 4]


def test_the_sharpest_are_shown_where_nothing_divides_the_majority():
    votes, _ = example_votes()
    party_lines = along_party_lines(votes)
    beta = np.linspace(1, 9, len(votes.rollcalls))
    chosen, party = divisions(table(party_lines, beta), party_lines)
    assert party == ""
    assert len(chosen) == 20
    assert chosen["beta"].max() == chosen["beta"].iloc[0] == 9
