import zipfile
from pathlib import Path

import pytest

from tallgrass.errors import DataError, SpecError
from tallgrass.rollcalls.sources import SOURCES, available_sessions, load_votes, source_of


@pytest.fixture
def library(tmp_path, write_session):
    """A data directory with sessions at several depths."""
    data = tmp_path / "data"
    for place, name in (
        ("kansas", "91st_2025-2026"),
        ("kansas", "90th_2023-2024"),
        (".", "toy"),
        ("far/away", "deep"),
        ("far/away/country", "deeper"),
        (".hidden", "secret"),
    ):
        folder = data / place
        folder.mkdir(parents=True, exist_ok=True)
        write_session(name).rename(folder / name)
    with zipfile.ZipFile(data / "KS_2011.zip", "w") as archive:
        archive.writestr("votes.csv", "")
    (data / "H116_votes.csv").write_text("congress,chamber,rollnumber,icpsr,cast_code\n")
    (data / "notes.txt").write_text("not a session")
    return data


def test_sessions_are_listed_three_folders_deep(library):
    # "deep" is a folder of the third level, "deeper" of the fourth
    assert list(available_sessions(library)) == [
        "90th_2023-2024",
        "91st_2025-2026",
        "H116",
        "KS_2011",
        "deep",
        "toy",
    ]


@pytest.mark.parametrize(
    ("session", "source", "place"),
    [
        ("toy", "tallgrass", "toy"),
        ("91st_2025-2026", "tallgrass", "kansas/91st_2025-2026"),
        ("91st", "tallgrass", "kansas/91st_2025-2026"),
        ("KS_2011", "legiscan", "KS_2011.zip"),
        ("KS_2011.zip", "legiscan", "KS_2011.zip"),
        ("H116", "voteview", "H116_votes.csv"),
        ("H116_votes.csv", "voteview", "H116_votes.csv"),
    ],
)
def test_a_bare_name_is_found_under_the_data_directory(library, session, source, place):
    assert source_of(session, library) == (source, library / place)


def test_a_path_needs_no_data_directory(library):
    folder = library / "kansas" / "91st_2025-2026"
    assert source_of(str(folder)) == ("tallgrass", folder)


def test_a_home_folder_is_expanded(library, monkeypatch):
    monkeypatch.setenv("HOME", str(library))
    assert source_of("~/toy") == ("tallgrass", library / "toy")


def test_a_bare_name_may_be_in_the_current_folder(library, monkeypatch, tmp_path):
    monkeypatch.chdir(library / "kansas")
    assert source_of("90th_2023-2024", tmp_path / "none")[1].name == "90th_2023-2024"
    monkeypatch.chdir(library / "toy")
    assert source_of(".") == ("tallgrass", library / "toy")


def test_the_data_directory_comes_before_the_current_folder(library, monkeypatch, write_session):
    here = write_session("toy")
    monkeypatch.chdir(here.parent)
    assert source_of("toy", library)[1] == library / "toy"


def test_a_beginning_that_fits_two_sessions_is_an_error(library):
    with pytest.raises(DataError, match="more than one session fits") as caught:
        source_of("9", library)
    assert "90th_2023-2024, 91st_2025-2026" in str(caught.value)


def test_two_sessions_of_one_name_are_listed_by_path(library, write_session):
    other = library / "missouri"
    other.mkdir()
    write_session("toy").rename(other / "toy")
    names = available_sessions(library)
    assert "toy" not in names
    assert str(other / "toy") in names
    with pytest.raises(DataError, match="more than one session fits"):
        source_of("toy", library)


@pytest.mark.parametrize(
    "session", ["92st_2025-2026", "", "no/such/place", "a" * 300, "~nobody-here/x", "x\0y", "*"]
)
def test_a_session_that_is_not_there_is_an_error(library, session):
    with pytest.raises(DataError):
        source_of(session, library)


def test_near_names_are_shown(library):
    with pytest.raises(DataError, match="did you mean 91st_2025-2026 or 90th_2023-2024"):
        source_of("92st_2025-2026", library)
    with pytest.raises(DataError, match="did you mean 91st_2025-2026"):
        source_of(str(library / "kansas" / "91st_2025-26"))


def test_a_bare_name_never_leaves_the_data_directory(library, monkeypatch, tmp_path):
    here = tmp_path / "elsewhere" / "here"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    # joined to the data directory, these would be the folder above or a hidden folder
    for name in ("..", ".hidden", "secret"):
        with pytest.raises(DataError):
            source_of(name, library / "kansas")


def test_a_hidden_folder_is_not_searched(library):
    assert "secret" not in available_sessions(library)


def test_links_to_folders_are_not_followed(library, tmp_path):
    (library / "loop").symlink_to(library, target_is_directory=True)
    assert "loop" not in str(available_sessions(library))


def test_a_folder_of_sessions_names_them(library):
    with pytest.raises(DataError, match="holds the sessions 90th_2023-2024, 91st_2025-2026"):
        source_of(str(library / "kansas"))


def test_a_file_of_another_kind_is_an_error(library):
    with pytest.raises(DataError, match="not a session"):
        source_of(str(library / "notes.txt"))


def test_a_folder_with_two_sessions_asks_for_one(write_session, tmp_path):
    folder = write_session("one")
    for path in write_session("two").iterdir():
        path.rename(folder / path.name)
    with pytest.raises(DataError, match="it holds the sessions one, two: name one of them"):
        source_of(str(folder.rename(tmp_path / "both")))
    assert source_of(str(tmp_path / "both" / "two_votes.csv"))[0] == "tallgrass"


def test_an_unknown_chamber_is_an_error():
    with pytest.raises(SpecError, match=r"received 'sennate'. did you mean senate"):
        load_votes("sample", "sennate")


def test_every_source_describes_itself():
    assert all(source.description for source in SOURCES.values())
    assert source_of("simulated") == ("simulated", Path("simulated"))
