"""The groups of a run, and their order, as text."""

from tallgrass.errors import SpecError

PARTY = "party"  # as the groups: those that the data call parties
_SUFFIXES = (".csv", ".csv.gz")


def is_file_name(groups: str) -> bool:
    """Whether groups are those of a file, and not a column's.

    Examples
    --------
    >>> is_file_name("factions.csv"), is_file_name("caucus")
    (True, False)
    """
    return groups.lower().endswith(_SUFFIXES) or "/" in groups


def parse_order(text: str) -> tuple[str, ...]:
    """The pair of groups that fixes the direction of the scale, lower mean first; empty for none.

    Raises
    ------
    SpecError
        When the text does not name two groups.

    Examples
    --------
    >>> parse_order("Labour, Conservative")
    ('Labour', 'Conservative')
    """
    if not text.strip():
        return ()
    names = tuple(part.strip() for part in text.split(","))
    if len(names) != 2 or not all(names) or names[0].casefold() == names[1].casefold():
        raise SpecError(
            "groups_order: two different groups are needed, the lower mean first",
            text,
            "write, for example, Labour,Conservative",
        )
    return names
