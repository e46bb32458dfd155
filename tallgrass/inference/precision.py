"""The precision that graphs are computed in."""

from tallgrass.errors import SpecError

DOUBLE = "float64"


def require_double() -> None:
    """Refuse PyTensor's single precision: sums over thousands of votes lose the digits that count.

    Raises
    ------
    SpecError
        When ``floatX`` is not float64.
    """
    import pytensor

    if pytensor.config.floatX != DOUBLE:
        raise SpecError(
            "PyTensor is set to single precision, in which densities lose the digits that count",
            f"floatX={pytensor.config.floatX}",
            "take floatX out of PYTENSOR_FLAGS and ~/.pytensorrc, or set it to float64",
        )
