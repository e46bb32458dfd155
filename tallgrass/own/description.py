"""What a model is made of, read from its PyMC graph: variables, priors, sizes, data."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from tallgrass.errors import SpecError

if TYPE_CHECKING:
    import pymc as pm
    import xarray as xr

Kind = Literal["free", "deterministic", "observed", "potential", "data", "draws"]
PRIOR, SAMPLED = ("free",), ("free", "deterministic")


@dataclass(frozen=True)
class Variable:
    """One variable of a model.

    Parameters
    ----------
    name : str
        Its name.
    kind : str
        ``free``, ``deterministic``, ``observed``, ``potential`` or ``data``; ``draws`` where only
        the draws are known.
    text : str
        Its distribution or definition as PyMC writes it, such as ``Normal(0, 5)``.
    dims : tuple of str
        Names of its dimensions; empty where it has none, or they are not named.
    shape : tuple of int
        Its shape.
    dtype : str
        Type of its entries.
    """

    name: str
    kind: Kind
    text: str
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class Description:
    """What a model is made of.

    Parameters
    ----------
    variables : tuple of Variable
        In the order of the model.
    graph : str
        The graph as a Mermaid diagram; empty where the model is not known.
    data_sha256 : str
        SHA-256 (64 hex digits) of the names, shapes and values of all data; empty without data.
    n_data : int
        Observed values.
    """

    variables: tuple[Variable, ...]
    graph: str = ""
    data_sha256: str = ""
    n_data: int = 0

    def of(self, *kinds: str) -> list[Variable]:
        """The variables of these kinds."""
        return [variable for variable in self.variables if variable.kind in kinds]

    @property
    def n_parameters(self) -> int:
        """Scalars among the free variables."""
        return sum(int(np.prod(v.shape, dtype=int)) for v in self.of("free"))

    @property
    def form_sha256(self) -> str:
        """SHA-256 of the variables, their definitions and sizes: equal for the same model."""
        text = json.dumps([asdict(v) for v in self.variables], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def to_json(self) -> str:
        """The description as JSON."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read the text that :meth:`to_json` wrote."""
        stored = json.loads(text)
        variables = tuple(
            Variable(**{**v, "dims": tuple(v["dims"]), "shape": tuple(v["shape"])})
            for v in stored.pop("variables")
        )
        return cls(variables, **stored)


def model_of(model: "pm.Model | Callable[[], pm.Model]") -> "pm.Model":
    """The PyMC model, made by the function if it is one.

    Raises
    ------
    SpecError
        When it is no PyMC model, or has nothing to sample.
    """
    import pymc as pm

    built = model if isinstance(model, pm.Model) or not callable(model) else model()
    if not isinstance(built, pm.Model):
        raise SpecError(
            "no PyMC model",
            type(built).__name__,
            "give a pm.Model, or a function without arguments that returns one",
        )
    if not built.free_RVs:
        raise SpecError(
            "a model without free variables",
            ", ".join(built.named_vars) or None,
            "it needs at least one random variable that is not observed",
        )
    return built


def describe(model: "pm.Model", draws: "xr.Dataset | None" = None) -> Description:
    """What a PyMC model is made of.

    Parameters
    ----------
    model : pymc.Model
        With at least one free variable.
    draws : Dataset, optional
        Its posterior, which says the shapes of variables without computing them.

    Examples
    --------
    >>> import pymc as pm
    >>> with pm.Model() as model:
    ...     mu = pm.Normal("mu", 0, 5)
    >>> describe(model).variables[0].text
    'Normal(0, 5)'
    """
    import pymc as pm
    import pytensor

    groups: list[tuple[Kind, Sequence[Any]]] = [
        ("free", model.free_RVs),
        ("deterministic", model.deterministics),
        ("observed", model.observed_RVs),
        ("potential", model.potentials),
        ("data", model.data_vars),
    ]
    every = [variable for _, members in groups for variable in members]
    # Shapes are small sums: to compile them in C, or to ask the compiler what it can, takes longer.
    with pytensor.config.change_flags(cxx=""):
        shapes = _shapes(model, every, draws)
        mermaid = pm.model_to_mermaid(model)
    variables = tuple(
        Variable(
            str(variable.name),
            kind,
            _definition(variable),
            tuple(map(str, model.named_vars_to_dims.get(variable.name, ()))),
            shapes[variable.name],
            str(variable.dtype),
        )
        for kind, members in groups
        for variable in members
    )
    observed = observed_data(model)
    return Description(
        variables,
        mermaid,
        _sha256({**constant_data(model), **observed}),
        sum(values.size for values in observed.values()),
    )


def describe_draws(trace: "xr.DataTree") -> Description:
    """What draws alone say about their model: names, dimensions and shapes."""
    posterior = trace["posterior"].to_dataset()
    variables = [
        Variable(
            str(name),
            "draws",
            "",
            tuple(str(dim) for dim in array.dims if dim not in ("chain", "draw")),
            tuple(n for dim, n in array.sizes.items() if dim not in ("chain", "draw")),
            str(array.dtype),
        )
        for name, array in posterior.data_vars.items()
    ]
    observed: dict[str, np.ndarray] = {}
    if "observed_data" in trace.children:
        observed = {
            str(name): array.to_numpy()
            for name, array in trace["observed_data"].to_dataset().data_vars.items()
        }
    n_data = sum(values.size for values in observed.values())
    return Description(tuple(variables), "", _sha256(observed), n_data)


def observed_data(model: "pm.Model") -> dict[str, np.ndarray]:
    """Observed values by variable; values that are missing are masked out as NaN."""
    values = {}
    for variable in model.observed_RVs:
        value = model.rvs_to_values[variable]
        array = np.ma.filled(np.ma.asarray(_value_of(value)).astype(float), np.nan)
        values[str(variable.name)] = array
    return values


def constant_data(model: "pm.Model") -> dict[str, np.ndarray]:
    """Values of the model's ``pm.Data`` by name."""
    return {str(data.name): np.asarray(_value_of(data)) for data in model.data_vars}


def _value_of(variable: Any) -> Any:
    if hasattr(variable, "get_value"):
        return variable.get_value()
    return variable.data if hasattr(variable, "data") else variable.eval()


def _definition(variable: Any) -> str:
    """What PyMC writes behind the name: ``Normal(0, 5)``, ``Deterministic(f(mu, tau))``."""
    text = str(variable.str_repr()) if hasattr(variable, "str_repr") else ""
    for sign in (" ~ ", " = "):
        if sign in text:
            return text.partition(sign)[2].strip()
    return text.strip()


def _shapes(
    model: "pm.Model", variables: list[Any], draws: "xr.Dataset | None"
) -> dict[str, tuple[int, ...]]:
    """Shapes, which may depend on data: those that nothing says are evaluated once."""
    known = {}
    if draws is not None:
        known = {str(name): tuple(map(int, x.shape[2:])) for name, x in draws.data_vars.items()}
    for variable in variables:
        if None not in variable.type.shape:
            known.setdefault(str(variable.name), tuple(map(int, variable.type.shape)))
    asked = [variable for variable in variables if variable.name not in known]
    return known | (_evaluated_shapes(model, asked) if asked else {})


def _evaluated_shapes(model: "pm.Model", variables: list[Any]) -> dict[str, tuple[int, ...]]:
    import pytensor

    point = model.initial_point()
    graphs = model.replace_rvs_by_values([variable.shape for variable in variables])
    function = pytensor.function(
        model.value_vars, graphs, mode="FAST_COMPILE", on_unused_input="ignore"
    )
    values = function(*(point[value.name] for value in model.value_vars))
    return {
        str(variable.name): tuple(int(n) for n in np.atleast_1d(shape))
        for variable, shape in zip(variables, values, strict=True)
    }


def _sha256(arrays: Mapping[str, np.ndarray]) -> str:
    if not arrays:
        return ""
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        digest.update(f"{name}\x1f{array.dtype}\x1f{array.shape}\x1e".encode())
        content = array.astype(str) if array.dtype.kind in "OU" else array
        digest.update(np.ascontiguousarray(content).tobytes())
    return digest.hexdigest()
