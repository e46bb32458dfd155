"""Votes that were read are not read again, until one of their files changes."""

import os
import shutil

import pytest

import tallgrass as tg
from tallgrass.errors import DataError
from tallgrass.inputs.limits import Limits
from tallgrass.rollcalls.sources import kept as kept_votes


@pytest.fixture
def session(tmp_path, monkeypatch):
    """A small session in the tallgrass layout, whose files count as old."""
    monkeypatch.setattr(kept_votes, "_UNSURE_NS", 0)
    monkeypatch.setattr(kept_votes, "_kept", {})
    (tmp_path / "s_legislators.csv").write_text(
        "slug,name,party,chamber,district\n"
        + "".join(f"m{i},M {i},{'RD'[i % 2]},senate,{i}\n" for i in range(4))
    )
    (tmp_path / "s_rollcalls.csv").write_text("vote_id,chamber\nv1,senate\n")
    rows = "".join(f"v1,m{i},{'yea' if i % 2 else 'nay'}\n" for i in range(4))
    (tmp_path / "s_votes.csv").write_text("vote_id,legislator_slug,vote\n" + rows)
    return tmp_path


def load(session, **how):
    return tg.load_votes(str(session), "senate", **how)


def test_votes_are_read_once(session):
    assert load(session) is load(session)


def test_votes_are_read_again_when_a_file_has_changed_though_its_size_and_time_have_not(session):
    first = load(session)
    path = session / "s_votes.csv"
    before = path.stat()
    path.write_text(path.read_text().replace("yea", "nay"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert (load(session).cells == -1).all()
    assert (first.cells == 1).any()


def test_files_that_changed_a_moment_ago_are_read_every_time(session, monkeypatch):
    monkeypatch.setattr(kept_votes, "_UNSURE_NS", 2_000_000_000)
    assert load(session) is not load(session)


def test_other_limits_are_applied_to_votes_that_were_read(session):
    load(session)
    with pytest.raises(DataError, match="rows"):
        load(session, limits=Limits(rows=2))


def test_a_file_that_is_gone_is_missed(session):
    load(session)
    (session / "s_votes.csv").unlink()
    with pytest.raises(DataError, match="without its file"):
        load(session)


def test_the_last_few_chambers_are_kept(session):
    for i in range(kept_votes._MOST + 3):
        copy = shutil.copytree(session, session / f"copy{i}")
        load(copy)
    assert len(kept_votes._kept) == kept_votes._MOST
    assert load(copy) is load(copy)
