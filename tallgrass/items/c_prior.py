"""The prior of lower asymptotes, from text."""

from tallgrass.errors import SpecError


def beta_of(text: str) -> tuple[float, float]:
    """The two parameters of a prior such as ``beta:5,17``.

    Raises
    ------
    SpecError
        When the text is not of that form, or a parameter is below 1: the density would have no
        finite maximum.
    """
    name, _, values = text.strip().partition(":")
    try:
        first, second = (float(value) for value in values.split(","))
    except ValueError:
        first, second = 0.0, 0.0
    if name.strip().lower() != "beta" or not (1 <= first < 1e6 and 1 <= second < 1e6):
        raise SpecError(
            "c_prior: the engines need a beta prior with two parameters of at least 1",
            text,
            "write beta:5,17",
        )
    return first, second
