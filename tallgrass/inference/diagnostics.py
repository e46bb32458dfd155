"""Figures of convergence of draws: :func:`diagnose` makes Diagnostics, which a verdict judges.

R-hat is the rank-normalised split R-hat and ESS the bulk and tail ESS of Vehtari, Gelman, Simpson,
Carpenter and Buerkner (2021), E-BFMI that of Betancourt (2016), equal to those of ArviZ.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from tallgrass.inference.labels import entry_label, entry_names, metric_name
from tallgrass.inference.ranks import bulk_ess_per_chain, rank_diagnostics
from tallgrass.inference.thresholds import Thresholds

Floats = NDArray[np.float64]

_BATCH = 256  # entries of small variables that are looked at together
_COLUMNS = ("rhat", "ess_bulk", "ess_tail", "ess_per_chain")


@dataclass(frozen=True, eq=False)
class Diagnostics:
    """Convergence diagnostics of one run.

    Parameters
    ----------
    table : DataFrame
        One row for each entry that is not constant, index ``xi[slug]``; columns variable, name,
        rhat, ess_bulk, ess_tail, ess_per_chain (least bulk ESS of a single chain). NaN where a
        value is not defined (R-hat of one chain, draws that are not finite).
    n_constant : int
        Entries without diagnostics because every draw is the same (fixed anchors).
    divergences, max_depth_hits : tuple of int
        By chain, after tuning.
    ebfmi : tuple of float
        By chain; empty, as the two before, where the sampler is not Hamiltonian (Gibbs).
    reflected : tuple of int or None
        Chains whose positions run the other way than the PCA scores of the votes: a mode audit.
        None where none was made.
    steps_per_draw, step_size : float
        Means over the draws after tuning.
    gradients : int
        Gradient evaluations, tuning included where the sampler counts it.
    sampling_s : float
        Seconds of sampling, for the rate; NaN where not known.
    not_finite : tuple of str
        Entries with a draw that is NaN or infinite, as they stand in the index of ``table``.
    """

    table: pd.DataFrame
    n_constant: int
    divergences: tuple[int, ...]
    max_depth_hits: tuple[int, ...]
    ebfmi: tuple[float, ...]
    reflected: tuple[int, ...] | None
    steps_per_draw: float
    step_size: float
    gradients: int
    sampling_s: float
    not_finite: tuple[str, ...] = ()

    def worst(self, column: str, variable: str | None = None) -> float:
        """Highest R-hat or lowest ESS over all entries, or over those of one variable.

        NaN where any of them is not defined: an undefined diagnostic is not a good one.
        """
        rows = self.table if variable is None else self.table[self.table["variable"] == variable]
        values = rows[column].to_numpy(float)
        return float(values.max() if column == "rhat" else values.min()) if len(values) else np.nan

    def metrics(self, rhat: float = Thresholds.rhat) -> dict[str, float]:
        """Every figure by its metric name; ``rhat/n_over_threshold`` counts from ``rhat`` on."""
        ess = self.worst("ess_bulk")
        values = {
            "rhat_max": self.worst("rhat"),
            "ess_min": ess,
            "ess_tail_min": self.worst("ess_tail"),
            "divergences": sum(self.divergences),
            "ebfmi_min": min(self.ebfmi, default=np.nan),
            "rhat/n_over_threshold": int((self.table["rhat"] >= rhat).sum()),
            "rhat/n_constant": self.n_constant,
            "ess/per_chain_min": self.worst("ess_per_chain"),
            "ess/per_second": ess / self.sampling_s if self.sampling_s > 0 else np.nan,
            "nuts/maxdepth_hits": sum(self.max_depth_hits),
            "nuts/steps_per_draw": self.steps_per_draw,
            "nuts/step_size": self.step_size,
            "nuts/gradients": self.gradients,
            "draws/not_finite": len(self.not_finite),
        }
        if self.reflected is not None:
            values["modes/reflected_chains"] = len(self.reflected)
        for variable in self.table["variable"].unique():
            name = metric_name(str(variable))
            values[f"rhat/{name}_max"] = self.worst("rhat", variable)
            values[f"ess/{name}_min"] = self.worst("ess_bulk", variable)
        for chain, value in enumerate(self.ebfmi):
            values[f"nuts/ebfmi_chain_{chain}"] = value
        if not self.divergences:
            del values["divergences"]
        if not self.ebfmi:
            del values["ebfmi_min"]
        if not np.isfinite(self.steps_per_draw):
            values = {k: v for k, v in values.items() if not k.startswith("nuts/")}
        return {name: float(value) for name, value in values.items()}


def diagnose(
    trace: xr.DataTree,
    variables: Sequence[str] | None = None,
    reflected: tuple[int, ...] | None = None,
) -> Diagnostics:
    """Compute the diagnostics of a trace.

    Parameters
    ----------
    trace : DataTree
        With posterior, and what it has of sample_stats and warmup_sample_stats (for the count of
        gradients): statistics that the sampler did not give are left out.
    variables : sequence of str, optional
        The variables to diagnose, in the order of the table; those that the posterior does not
        have are skipped. By default all variables of the posterior.
    reflected : tuple of int, optional
        Chains that an audit of modes found to run the other way; without it, none was made.
    """
    posterior = trace["posterior"].to_dataset()
    names = map(str, posterior.data_vars) if variables is None else variables
    chosen = [_Entries.of(name, posterior[name]) for name in names if name in posterior]
    table = _table(chosen)
    stats = trace["sample_stats"].to_dataset() if "sample_stats" in trace.children else xr.Dataset()
    gradients = float(stats["n_steps"].sum()) if "n_steps" in stats else 0.0
    if "warmup_sample_stats" in trace.children:
        warmup = trace["warmup_sample_stats"].to_dataset()
        gradients += float(warmup["n_steps"].sum()) if "n_steps" in warmup else 0.0
    return Diagnostics(
        table=table,
        n_constant=sum(entries.n_constant for entries in chosen),
        divergences=_by_chain(stats, "diverging"),
        max_depth_hits=_by_chain(stats, "reached_max_treedepth"),
        ebfmi=_ebfmi(stats),
        reflected=reflected,
        steps_per_draw=_mean(stats, "n_steps"),
        step_size=_mean(stats, "step_size"),
        gradients=int(gradients),
        sampling_s=float(trace.attrs.get("sampling_s", np.nan)),
        not_finite=tuple(label for entries in chosen for label in entries.not_finite),
    )


class _Entries(NamedTuple):
    """The entries of one variable that vary, shape (chain, draw, entry)."""

    variable: str
    names: list[str]
    draws: NDArray[Any]
    n_constant: int
    not_finite: list[str]

    @classmethod
    def of(cls, variable: str, array: xr.DataArray) -> Self:
        draws = array.to_numpy()
        flat = draws.reshape(*draws.shape[:2], int(np.prod(draws.shape[2:], dtype=int)))
        if flat.dtype.kind == "b":
            flat = flat.astype(float)
        with np.errstate(invalid="ignore"):  # infinity less infinity
            spread = np.ptp(flat, axis=(0, 1))
        # Any NaN or infinity makes the spread so; such an entry varies, and its figures are NaN.
        varies = ~(spread == 0)
        names = [n for n, moves in zip(entry_names(array), varies, strict=True) if moves]
        broken = np.flatnonzero(~np.isfinite(spread[varies]))
        labels = [entry_label(variable, names[i]) for i in broken]
        return cls(variable, names, flat[:, :, varies], int((~varies).sum()), labels)


def _table(chosen: list[_Entries]) -> pd.DataFrame:
    """R-hat and ESS of every entry, in its order.

    Small variables are taken together: hundreds of them would take longer one by one.
    """
    columns: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    for together in _batches(chosen):
        draws = together[0].draws
        if len(together) > 1:
            draws = np.concatenate([entries.draws for entries in together], axis=2)
        values = rank_diagnostics(draws)
        for name, value in values._asdict().items():
            columns[name].append(value)
        columns["ess_per_chain"].append(bulk_ess_per_chain(draws))
    names = [(entries.variable, name) for entries in chosen for name in entries.names]
    return pd.DataFrame(
        {
            "variable": [variable for variable, _ in names],
            "name": [name for _, name in names],
            **{name: np.concatenate([np.zeros(0), *parts]) for name, parts in columns.items()},
        },
        index=[entry_label(variable, name) for variable, name in names],
    )


def _batches(chosen: list[_Entries]) -> Iterator[list[_Entries]]:
    """Variables in their order, with about as many entries at a time as one task has."""
    batch: list[_Entries] = []
    for entries in chosen:
        if batch and sum(len(x.names) for x in batch) + len(entries.names) > _BATCH:
            yield batch
            batch = []
        batch.append(entries)
    if batch:
        yield batch


def _by_chain(stats: xr.Dataset, name: str) -> tuple[int, ...]:
    """Count of a statistic by chain; empty where the sampler does not give it, as Gibbs."""
    if name not in stats:
        return ()
    dims = [dim for dim in stats[name].dims if dim != "chain"]
    return tuple(int(n) for n in np.atleast_1d(stats[name].sum(dims).to_numpy()))


def _mean(stats: xr.Dataset, name: str) -> float:
    return float(stats[name].mean()) if name in stats else np.nan


def _ebfmi(stats: xr.Dataset) -> tuple[float, ...]:
    if "energy" not in stats or stats["energy"].dims != ("chain", "draw"):
        return ()
    energies = stats["energy"].to_numpy()
    steps = np.square(np.diff(energies, axis=1)).mean(axis=1)
    return tuple(float(x) for x in steps / np.var(energies, axis=1, ddof=1))
