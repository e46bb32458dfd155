"""Prior distributions as frozen values: their text form, PyMC variable and description."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from tallgrass.errors import SpecError, nearest

if TYPE_CHECKING:
    from pytensor.tensor import TensorVariable

# Distribution name -> names of its parameters, in the order of the text form.
DISTRIBUTIONS = {
    "normal": ("mu", "sigma"),
    "lognormal": ("mu", "sigma"),
    "lognormal_reparam": ("mu", "sigma"),
    "halfnormal": ("sigma",),
}

# Beyond these a density is 0 or infinite in 64-bit numbers, whatever the data: no start is found.
# The scales are units of the linear predictor, where 10 is already certainty.
_MOST, _LEAST_SIGMA = 1e6, 1e-6
_MOST_LOG = 100.0  # of parameters on the log scale


class PriorNumbers(NamedTuple):
    """A prior whose parameters are variables of a graph; fields as of :class:`PriorSpec`."""

    distribution: str
    positive: bool
    mu: Any
    sigma: Any


@dataclass(frozen=True)
class PriorSpec:
    """A prior distribution.

    Parameters
    ----------
    distribution : str
        A key of DISTRIBUTIONS. ``lognormal`` and ``lognormal_reparam`` with equal parameters are
        the same posterior: PyMC samples a LogNormal on the log scale anyway. Both names are kept
        because earlier results used both.
    parameters : tuple of float
        In the order of DISTRIBUTIONS; ``sigma`` is a standard deviation (of the logarithm for the
        log-normals).

    Raises
    ------
    SpecError
        On an unknown distribution, a wrong number of parameters, a sigma that is not positive,
        or a parameter out of bounds.

    Examples
    --------
    >>> prior = tg.PriorSpec.parse("lognormal:0,0.5")
    >>> prior.distribution, prior.sigma
    ('lognormal', 0.5)
    """

    distribution: str
    parameters: tuple[float, ...]

    def __post_init__(self) -> None:
        names = DISTRIBUTIONS.get(self.distribution)
        if names is None:
            raise SpecError(
                "unknown prior distribution",
                self.distribution,
                nearest(self.distribution, list(DISTRIBUTIONS)),
            )
        if len(self.parameters) != len(names):
            raise SpecError(
                f"wrong number of parameters for a {self.distribution} prior",
                self.text,
                f"write {self.distribution}:{','.join(names)}",
            )
        if not all(math.isfinite(value) for value in self.parameters):
            raise SpecError("prior with a parameter that is not finite", self.text)
        if self.parameters[-1] <= 0:
            raise SpecError("prior with a sigma that is not positive", self.text, "use sigma > 0")
        most = _MOST_LOG if self.distribution.startswith("lognormal") else _MOST
        if self.parameters[-1] < _LEAST_SIGMA or any(abs(x) > most for x in self.parameters):
            raise SpecError(
                "prior with a parameter that is out of bounds",
                self.text,
                f"use a mu from {-most:.0f} to {most:.0f} and a sigma from {_LEAST_SIGMA:g} "
                f"to {most:.0f}",
            )

    @classmethod
    def parse(cls, text: str) -> "PriorSpec":
        """Read the text form, such as ``normal:0,1`` or ``halfnormal:1``.

        Raises
        ------
        SpecError
            When the text is not of that form.
        """
        distribution, _, values = text.strip().partition(":")
        try:
            parameters = tuple(float(value) for value in values.split(",")) if values else ()
        except ValueError:
            raise SpecError(
                "prior with a parameter that is not a number", text, "write it as normal:0,1"
            ) from None
        return cls(distribution.strip().lower(), parameters)

    @property
    def text(self) -> str:
        """The text form: no spaces, quotes or brackets, so it passes through ``mlflow run``."""
        values = ",".join(_shortest(value) for value in self.parameters)
        return f"{self.distribution}:{values}"

    @property
    def positive(self) -> bool:
        """Whether the distribution has positive values only."""
        return self.distribution != "normal"

    @property
    def sigma(self) -> float:
        """The scale: a standard deviation (of the logarithm for the log-normals)."""
        return self.parameters[-1]

    @property
    def mu(self) -> float:
        """The location (of the logarithm for the log-normals); 0 for a half-normal."""
        return self.parameters[0] if len(self.parameters) > 1 else 0.0

    def describe(self) -> str:
        """The prior in words, for the report."""
        mu, sigma = f"{self.mu:g}", f"{self.sigma:g}"
        return {
            "normal": f"Normal with mean {mu} and standard deviation {sigma}",
            "lognormal": f"LogNormal: the logarithm has mean {mu} and standard deviation {sigma}",
            "lognormal_reparam": f"exp of a Normal with mean {mu} and standard deviation {sigma}",
            "halfnormal": f"HalfNormal with scale {sigma}",
        }[self.distribution]

    def scaled(self, factor: float) -> "PriorSpec":
        """The prior of ``factor`` times the variable; ``factor`` > 0."""
        if self.distribution in ("lognormal", "lognormal_reparam"):
            return PriorSpec(self.distribution, (self.mu + math.log(factor), self.sigma))
        return PriorSpec(self.distribution, tuple(factor * value for value in self.parameters))

    def numbers(self) -> PriorNumbers:
        """The prior with parameters that compiled code reads and does not contain."""
        from tallgrass.inference.constants import number

        mu, sigma = number(self.mu), number(self.sigma)
        return PriorNumbers(self.distribution, self.positive, mu, sigma)

    def variable(self, name: str, **kwargs: Any) -> "TensorVariable":
        """The PyMC random variable of this prior, inside a model context.

        ``lognormal_reparam`` adds the Normal ``log_<name>`` and returns its exponential as the
        deterministic ``<name>``.
        """
        # To import PyMC takes seconds, and most commands do not need it.
        import pymc as pm
        import pytensor.tensor as pt

        _, _, mu, sigma = self.numbers()
        if self.distribution == "lognormal_reparam":
            log = pm.Normal(f"log_{name}", mu, sigma, **kwargs)
            return pm.Deterministic(name, pt.exp(log), dims=kwargs.get("dims"))
        if self.distribution == "lognormal":
            return pm.LogNormal(name, mu, sigma, **kwargs)
        if self.distribution == "halfnormal":
            return pm.HalfNormal(name, sigma, **kwargs)
        return pm.Normal(name, mu, sigma, **kwargs)


def _shortest(value: float) -> str:
    """The shortest text that reads back as the same number: 0 rather than 0.0."""
    short = f"{value:g}"
    return short if float(short) == value else repr(float(value))
