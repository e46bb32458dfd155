"""Whose votes the model does not describe, and which votes surprise it most, by name."""

import pandas as pd

from tallgrass.inference.fit_verdict import FitCheck
from tallgrass.report.words import listed
from tallgrass.rollcalls.fit_checks import FitChecks
from tallgrass.rollcalls.people import person
from tallgrass.rollcalls.votes import YEA, VoteMatrix

LISTED_VOTES = 100
_NAMED = 5
_NAMED_PAIRS = 3
_MODEL = {1: "One line does not", 2: "Two dimensions do not"}
_CHECK, _PAIRS = "single legislators", "pairs of legislators"


def legislator_fit(checks: FitChecks, ideal: pd.DataFrame) -> pd.DataFrame:
    """The fit of every legislator with the name, those farthest off first.

    Columns: slug, name, party, district, anchor, then those of
    :class:`~tallgrass.rollcalls.predictive.Predictive`'s table of legislators. "Farthest off" is
    the distance of the observed share of yeas from the prediction, in standard deviations of the
    prediction.
    """
    people = ideal[["slug", "name", "party", "district", "anchor"]]
    table = people.merge(checks.legislators.drop(columns="party"), on="slug", how="inner")
    distance = (table["yea_rate_observed"] - table["yea_rate_mean"]).abs() / table["yea_rate_sd"]
    # Without a spread there is no distance: those that are predicted exactly come last.
    order = distance.fillna(0.0).sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)


def surprising_votes(
    checks: FitChecks, votes: VoteMatrix, most: int = LISTED_VOTES
) -> pd.DataFrame:
    """The votes to which the model gave the smallest probability, the smallest first.

    Columns: legislator (slug), name, party, district, rollcall (vote id), bill, motion, date,
    title, vote (``yea`` or ``nay``), probability, elpd_loo (nats), pareto_k.
    """
    table = checks.votes.nsmallest(most, "probability", keep="first")
    members = {member.slug: member for member in votes.legislators}
    rollcalls = {rollcall.vote_id: rollcall for rollcall in votes.rollcalls}
    who = [members[slug] for slug in table["legislator"]]
    what = [rollcalls[vote_id] for vote_id in table["rollcall"]]
    return pd.DataFrame(
        {
            "legislator": table["legislator"].to_numpy(),
            "name": [member.name or member.slug for member in who],
            "party": [member.party for member in who],
            "district": [member.district for member in who],
            "rollcall": table["rollcall"].to_numpy(),
            "bill": [rollcall.bill for rollcall in what],
            "motion": [rollcall.motion for rollcall in what],
            "date": [rollcall.date for rollcall in what],
            "title": [rollcall.title for rollcall in what],
            "vote": ["yea" if vote == YEA else "nay" for vote in table["vote"]],
            **{name: table[name].to_numpy() for name in ("probability", "elpd_loo", "pareto_k")},
        }
    )


def misfit_check(checks: FitChecks | None, table: pd.DataFrame | None) -> FitCheck:
    """Whether more legislators than chance allows are not described by their ideal points.

    Parameters
    ----------
    checks : FitChecks or None
        None where the run was made without fit checks.
    table : DataFrame or None
        From :func:`legislator_fit`.
    """
    if checks is None or table is None:
        return FitCheck(_CHECK, "not checked", "The fit of single legislators was not checked.")
    if words := misfit_words(checks, table):
        return FitCheck(_CHECK, "questioned", words)
    return FitCheck(_CHECK, "fits")


def misfit_words(
    checks: FitChecks | None, table: pd.DataFrame | None, by_chance: bool = False
) -> str:
    """How many legislators the model does not describe, and who is the farthest off.

    Empty where they are no more than chance allows; with ``by_chance`` that is said instead, and
    the text is empty where they are more, or nobody was checked.
    """
    if checks is None or table is None:
        return ""
    outside = int(checks.metrics["fit/misfit_legislators"])
    allowed = outside <= checks.metrics["fit/misfit_legislators_limit"]
    if allowed != by_chance:
        return ""
    expected = checks.metrics["fit/misfit_legislators_expected"]
    verb = "casts" if outside == 1 else "cast"
    text = (
        f"{outside} of {len(table)} legislators {verb} a share of yeas outside the 95 % interval "
        f"that the model predicts for them; about {expected:.0f} would by chance."
    )
    if allowed:
        return text
    named = "; ".join(_farthest(row) for _, row in table[table["misfit"]].head(_NAMED).iterrows())
    text += f" Their ideal points do not describe how they voted. Farthest off: {named}."
    neither = votes_with_neither(table)
    if neither.any():
        people = [person(row) for _, row in table[neither].head(_NAMED).iterrows()]
        if (others := int(neither.sum()) - len(people)) > 0:
            people.append(f"{others} more")
        verb = "agrees" if len(people) == 1 else "agree"
        text += f" {listed(people)} {verb} with neither party as often as predicted."
    return text


def votes_with_neither(table: pd.DataFrame) -> "pd.Series[bool]":
    """The legislators who agree less often than predicted with both parties."""
    return (table["own_party_observed"] < table["own_party_low"]) & (
        table["other_party_observed"] < table["other_party_low"]
    )


def _farthest(row: "pd.Series[str]") -> str:
    observed, low, high = (
        f"{100 * float(row[f'yea_rate_{name}']):.0f}" for name in ("observed", "low", "high")
    )
    anchor = ", anchor" if row["anchor"] else ""
    return f"{person(row)}{anchor}: {observed} % yeas, predicted {low} to {high} %"


def pairs_check(checks: FitChecks | None, ideal: pd.DataFrame, dims: int = 1) -> FitCheck:
    """Whether more pairs than chance allows agree more or less often than the model predicts."""
    if checks is None:
        return FitCheck(_PAIRS, "not checked", "The agreement of pairs was not checked.")
    metrics = checks.metrics
    if metrics["fit/misfit_pairs"] <= metrics["fit/misfit_pairs_limit"]:
        return FitCheck(_PAIRS, "fits")
    people = {str(row["slug"]): person(row) for _, row in ideal.iterrows()}
    named = "; ".join(
        f"{people[row['first']]} and {people[row['second']]}: {100 * row['observed']:.0f} % of "
        f"{row['n_common']} common votes, predicted {100 * row['low']:.0f} to "
        f"{100 * row['high']:.0f} %"
        for _, row in farthest_pairs(checks.pairs, _NAMED_PAIRS).iterrows()
    )
    return FitCheck(
        _PAIRS,
        "questioned",
        f"{metrics['fit/misfit_pairs']:,.0f} of {len(checks.pairs):,} pairs of legislators agree "
        "more or less often than the model predicts; about "
        f"{metrics['fit/misfit_pairs_expected']:,.0f} would by chance. {_MODEL[dims]} describe "
        f"who votes with whom. Farthest off: {named}.",
    )


def farthest_pairs(pairs: pd.DataFrame, most: int) -> pd.DataFrame:
    """The pairs whose agreement is farthest from the prediction, in its standard deviations."""
    distance = ((pairs["observed"] - pairs["mean"]).abs() / pairs["sd"]).fillna(0.0)
    return pairs.loc[distance.sort_values(ascending=False, kind="stable").index[:most]]
