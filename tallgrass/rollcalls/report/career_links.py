"""The sections on what carries the scale of a dynamic run, and on its sessions one by one."""

from tallgrass.report.page import Cell, Column, Section, Table, Text, numeric, rows
from tallgrass.report.words import counted, number, percent, signed, span
from tallgrass.rollcalls.analysis import RollCallAnalysis
from tallgrass.rollcalls.careers import FEW_COMMON
from tallgrass.rollcalls.plots import session_labels


def link_sections(run: RollCallAnalysis) -> list[Section]:
    """What links the sessions, who is who, and each session by itself; none for other models."""
    if run.tables.careers is None:
        return []
    sections = [_overlap(run), _sessions(run)]
    notes = run.tables.careers.members
    if (notes["note"] != "").any():
        sections.append(_persons(run))
    return sections


def _overlap(run: RollCallAnalysis) -> Section:
    tables, careers = run.tables.careers, run.careers
    assert tables is not None
    assert careers is not None
    table = tables.overlap
    if careers.both:
        table = table[(table["n_common"] > 0) | (table["n_matched_bills"] > 0)]
    few = careers.few_links()
    words = (
        "Two sessions are on one scale because of the members who served in both, "
        f"{'directly or ' if len(careers.sessions) > 2 else ''}by way of the sessions between. "
        "“Careers” counts those who went from one to the other without a seat between."
    )
    if careers.both:
        words += (
            f" {counted(len(careers.bridges.house), 'bill')} that both chambers voted on link them "
            "within a session."
            if careers.matched_bills
            else " Bills that both chambers voted on do not link them (matched_bills=false)."
        )
        if not careers.chamber_changes:
            words += " Members who changed chamber do not either (chamber_changes=false)."
    names = [
        [f"{row[end]}, {row[f'{end}_chamber'].capitalize()}" if careers.both else row[end]
         for _, row in table.iterrows()]
        for end in ("first", "second")
    ]  # fmt: skip
    cells = rows(
        [Cell(name, style="whole") for name in names[0]],
        [Cell(name, style="whole") for name in names[1]],
        [
            # Of two chambers few members are common, and bills may carry the scale.
            Cell(str(n), float(n), "failed" if n < FEW_COMMON and a == b else "")
            for n, a, b in zip(
                table["n_common"], table["first_chamber"], table["second_chamber"], strict=True
            )
        ],
        [Cell(percent(v), float(v)) for v in table["share_of_smaller"]],
        [Cell(str(n), float(n)) for n in table["n_links"]],
        *([[Cell(str(n), float(n)) for n in table["n_matched_bills"]]] if careers.both else []),
    )
    columns = (
        Column("Session"),
        Column("and"),
        Column("Common members", numeric=True),
        Column("Of the smaller", numeric=True),
        Column("Careers", numeric=True),
        *([Column("Matched bills", numeric=True)] if careers.both else []),
    )
    blocks: list[Text | Table] = [Text(words)]
    caption = "Members that sessions have in common"
    blocks.append(Table(caption, columns, cells, sortable=True))
    if few:
        blocks.insert(
            0, Text("Few members carry the scale between " + "; ".join(few) + ".", tone="warning")
        )
    blocks += _left_out(run)
    return Section("overlap", "What carries the scale from session to session", tuple(blocks))


def _left_out(run: RollCallAnalysis) -> list[Text | Table]:
    """What the scales of the others would be without each session."""
    tables, careers = run.tables.careers, run.careers
    assert tables is not None
    assert careers is not None
    table = tables.left_out
    if table.empty:
        return []
    short = dict(zip(careers.sessions, session_labels(careers.sessions), strict=True))
    stay = set(zip(table["session"], table["chamber"], strict=True))
    labels = [(s.session, s.chamber) for s in careers.sittings if (s.session, s.chamber) in stay]
    sessions = list(dict.fromkeys(table["left_out"]))
    changes = table.set_index(["left_out", "session", "chamber"])["change_gap"]
    columns = [
        Column(short[s] + (f", {c.capitalize()}" if careers.both else ""), numeric=True)
        for s, c in labels
    ]
    cells = rows(
        [Cell(f"without {short[session]}") for session in sessions],
        *(
            [
                Cell("")
                if (session, *label) not in changes.index
                else numeric(float(changes[session, *label]), show=signed)
                for session in sessions
            ]
            for label in labels
        ),
    )
    text = Text(
        "How much the distance between the parties would change in each session if another one "
        "were left out, positions within sessions as they are: an approximation. A run with "
        "leave_out=SESSION is the thing itself."
    )
    caption = "Change of the distance between the parties without a session"
    return [text, Table(caption, (Column("Left out"), *columns), cells)]


def _sessions(run: RollCallAnalysis) -> Section:
    tables, careers = run.tables.careers, run.careers
    assert tables is not None
    assert careers is not None
    table, fit, chains = tables.sessions, tables.fit, tables.chains
    single = tables.single.set_index(["session", "chamber"])
    least = chains.groupby(["session", "chamber"])["r"].min()
    keys = list(zip(table["session"], table["chamber"], strict=True))
    cells = [
        [Cell(f"{s}, {c.capitalize()}" if careers.both else s, float(i), "whole")
         for i, (s, c) in enumerate(keys)],
        *([Cell(f"{v:,}", float(v)) for v in table[c]]
          for c in ("n_legislators", "n_returning", "n_rollcalls", "n_votes")),
        [Cell(f"{number(m)} ({span(a, b)})", float(m)) for m, a, b in
         zip(table["delta_mean"], table["delta_hdi_low"], table["delta_hdi_high"], strict=True)],
        [Cell(f"{number(m)} ({span(a, b)})", float(m)) for m, a, b in
         zip(table["k_mean"], table["k_hdi_low"], table["k_hdi_high"], strict=True)],
        [numeric(least[key], 3) for key in keys],
        [numeric(single.loc[key, "r"], 3) if key in single.index else Cell("") for key in keys],
    ]  # fmt: skip
    columns = [
        Column("Session"),
        Column("Members", numeric=True),
        Column("Returning", numeric=True),
        Column("Roll calls", numeric=True),
        Column("Votes", numeric=True),
        Column("Midpoint δ", numeric=True),
        Column("Half distance k", numeric=True),
        Column("r, chains", numeric=True, hint="least, of a chain's positions with PCA scores"),
        Column("r, own run", numeric=True, hint="with the session's own hierarchical run"),
    ]
    if fit is not None:
        cells += [
            [Cell(percent(v, 1), float(v)) for v in fit["accuracy"]],
            [Cell(f"{a:.0f} ({b:.0f})", float(a)) for a, b in
             zip(fit["misfit_legislators"], fit["misfit_legislators_expected"], strict=True)],
            [Cell(f"{a:,.0f} ({b:,.0f})", float(a)) for a, b in
             zip(fit["misfit_pairs"], fit["misfit_pairs_expected"], strict=True)],
        ]  # fmt: skip
        columns += [
            Column("Called right", numeric=True),
            Column("Members off", numeric=True, hint="outside their prediction; by chance"),
            Column("Pairs off", numeric=True, hint="outside their prediction; by chance"),
        ]
    text = Text(
        "Each session has a midpoint δ and half a distance k between the parties on the common "
        "scale; in its own gauge they are 0 and 1. Positions of every chain are held against the "
        "first principal component of the session's votes, and against the session's own "
        "hierarchical run where one passed. The last columns say whether one line describes the "
        "votes of the session: members and pairs of members whose votes the model does not "
        "predict, and in brackets how many would be by chance."
    )
    table_block = Table("The sessions one by one", tuple(columns), rows(*cells), sortable=True)
    return Section("sessions", "The sessions one by one", (text, table_block))


def _persons(run: RollCallAnalysis) -> Section:
    assert run.tables.careers is not None
    table = run.tables.careers.members
    noted = table[table["note"] != ""]
    cells = rows(
        [Cell(name) for name in noted["name"]],
        [Cell(person) for person in noted["person"]],
        [Cell(f"{a} to {b}" if a != b else a) for a, b in
         zip(noted["first"], noted["last"], strict=True)],
        [Cell(note, style="wide") for note in noted["note"]],
    )  # fmt: skip
    columns = (Column("Member"), Column("Person"), Column("Sessions"), Column("Note"))
    text = Text(
        "Members were matched by their ids, and where these differ by name and party. These are "
        "the cases worth a look; a CSV file with the columns session, slug and person, given as "
        "members=FILE, corrects them. tables/members has everybody."
    )
    block = Table(f"{counted(len(noted), 'person')} to look at", columns, cells, sortable=True)
    return Section("persons", "Who is who", (text, block))
