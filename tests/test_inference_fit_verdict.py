import pytest

from tallgrass.inference.fit_verdict import FitCheck, FitVerdict, fit_verdict

FITS = FitCheck("party axis", "fits")
DOUBT = FitCheck("anchors", "questioned", "An anchor is in the middle.")
OPEN = FitCheck("misfit legislators", "not checked", "fit_checks=false.")


@pytest.mark.parametrize(
    ("checks", "status"),
    [
        ((), "not checked"),
        ((FITS,), "fits"),
        ((FITS, DOUBT), "questioned"),
        ((FITS, OPEN), "not checked"),
        ((OPEN, DOUBT, FITS), "questioned"),
    ],
)
def test_one_doubt_questions_the_fit_and_only_checks_that_were_all_made_say_that_it_fits(
    checks, status
):
    assert FitVerdict(checks).status == status


def test_doubts_come_before_what_was_not_checked():
    fit = FitVerdict((FITS, OPEN, DOUBT))
    reasons = ("anchors: An anchor is in the middle.", "misfit legislators: fit_checks=false.")
    assert fit.reasons == reasons
    assert fit.tags == {"fit": "questioned", "fit.reasons": " ".join(reasons)}


def test_a_check_that_this_kind_of_run_does_not_have_is_left_out():
    assert fit_verdict([None, FITS]).checks == (FITS,)
