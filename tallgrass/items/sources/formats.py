"""Files that are neither CSV, Parquet nor JSON: read where pandas can, else told how."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from tallgrass.errors import DataError, first_line, shown
from tallgrass.inputs.limits import DEFAULT_LIMITS, Limits

_STATA, _FEATHER = (".dta",), (".feather", ".arrow", ".ipc")
# Suffix -> name, and the line of Python that makes a file that can be read.
_OTHERS = {
    ".xlsx": ("an Excel file", "pandas.read_excel(PATH).to_parquet('answers.parquet')"),
    ".xls": ("an Excel file", "pandas.read_excel(PATH).to_parquet('answers.parquet')"),
    ".ods": ("a spreadsheet", "pandas.read_excel(PATH).to_parquet('answers.parquet')"),
    ".sav": ("an SPSS file", "pandas.read_spss(PATH).to_parquet('answers.parquet')"),
    ".zsav": ("an SPSS file", "pandas.read_spss(PATH).to_parquet('answers.parquet')"),
    ".sas7bdat": ("a SAS file", "pandas.read_sas(PATH).to_parquet('answers.parquet')"),
    ".rds": ("an R file", "in R: write.csv(readRDS(PATH), 'answers.csv', row.names = FALSE)"),
    ".rdata": ("an R file", "in R: load(PATH), then write.csv of the table"),
}


def read_other(path: Path, limits: Limits = DEFAULT_LIMITS) -> Iterator[pd.DataFrame] | None:
    """The table of a Stata or Feather file; None where the name says neither.

    Raises
    ------
    DataError
        On a file of another program, with the line that makes one that can be read; on one that is
        damaged or too large.
    """
    suffix = path.suffix.lower()
    if suffix in _OTHERS:
        kind, line = _OTHERS[suffix]
        raise DataError(
            f"{shown(path.name)} is {kind}",
            suffix,
            f"save it as CSV or Parquet: {line.replace('PATH', repr(path.name))}",
        )
    if suffix in _STATA or suffix in _FEATHER:
        return iter([_whole(path, suffix, limits)])
    return None


def _whole(path: Path, suffix: str, limits: Limits) -> pd.DataFrame:
    label = shown(path.name)
    limits.check_size(label, path.stat().st_size)
    try:
        if suffix in _STATA:
            table = pd.read_stata(path, convert_categoricals=False, preserve_dtypes=True)
        else:
            table = pd.read_feather(path)
    except Exception as error:  # the readers raise many kinds, also of other libraries
        reason = first_line(error)
        raise DataError(f"{label} cannot be read", reason, "save it again, or as CSV") from None
    limits.check_table(label, len(table), len(table.columns))
    return table
