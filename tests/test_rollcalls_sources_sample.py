import pytest

from tallgrass.errors import DataError
from tallgrass.rollcalls.filters import filter_votes
from tallgrass.rollcalls.sources import load_votes, source_of


def test_the_sample_is_the_109th_senate():
    votes = load_votes("sample", "senate")
    assert (votes.session, votes.chamber) == ("sample", "senate")
    assert votes.cells.shape == (102, 645)
    contested = ((votes.cells == 1).any(axis=0) & (votes.cells == -1).any(axis=0)).sum()
    assert contested == 544
    assert votes.rollcalls[0].date == "2005-01-06"


def test_the_sample_passes_the_default_filters():
    kept, log = filter_votes(load_votes("sample", "senate"), 0.025, 20, parties_only=True)
    assert kept.cells.shape == (101, 519)
    assert [d.id for d in log.drops if d.reason == "independent"] == ["sen_jeffords_94240"]


def test_the_sample_has_no_house():
    with pytest.raises(DataError, match="no roll calls of the house"):
        load_votes("sample", "house")


def test_a_folder_called_sample_needs_a_path(write_session, monkeypatch):
    folder = write_session("sample")
    monkeypatch.chdir(folder.parent)
    assert source_of("sample")[0] == "sample"
    assert source_of("./sample") == ("tallgrass", folder)


def test_the_embedded_votes_are_the_published_ones(data_dir):
    ours = load_votes("sample", "senate")
    published = load_votes("us_senate_109", "senate", data_dir)
    assert ours.fingerprint == published.fingerprint
    assert (ours.legislators, ours.rollcalls) == (published.legislators, published.rollcalls)
