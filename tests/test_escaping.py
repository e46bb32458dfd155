import pytest

from tallgrass.escaping import markdown, masked, neutralised, printable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql://me:hush@host/db", "postgresql://me:***@host/db"),
        ("postgresql://me:hu@sh@host/db", "postgresql://me:***@host/db"),
        ("postgresql://host/db?user=me&password=hush&x=1", "postgresql://host/db?user=me&password=***&x=1"),
        ("https://hush@host/path", "https://***@host/path"),
        ("https://me:hush@host", "https://***@host"),
        ("s3://b?X-Amz-Signature=hush&aws_secret_access_key=hush", "s3://b?X-Amz-Signature=***&aws_secret_access_key=***"),
        ("postgresql://host/db?sslpassword=hush", "postgresql://host/db?sslpassword=***"),
        ("sqlite:///runs.db and me@example.org", "sqlite:///runs.db and me@example.org"),
    ],
)  # fmt: skip
def test_passwords_and_tokens_of_addresses_are_masked(text, expected):
    assert masked(text) == expected


def test_masking_a_long_text_takes_no_time_that_grows_with_its_square():
    assert masked("a://b:" + "c" * 200_000) == "a://b:" + "c" * 200_000
    assert masked("?" + "token" * 50_000).count("token") == 50_000
    assert masked("?token" * 50_000).count("token") == 50_000


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("Ann;=1+1", "Ann;'=1+1"),
        ("two\n=lines", "two\n'=lines"),
        ("1-1", "1-1"),
        (-1.5, -1.5),
        (None, None),
    ],
)
def test_no_cell_of_a_spreadsheet_is_a_formula(cell, expected):
    assert neutralised(cell) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("two\nlines", r"two\nlines"),
        ("\u202eevil", r"\u202eevil"),
        ("\x9b2J", r"\x9b2J"),
        ("Zoë 日本", "Zoë 日本"),
        ("half \udcff", r"half \udcff"),
    ],
)
def test_nothing_printed_moves_the_cursor_or_the_reading_direction(text, expected):
    assert printable(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)>"),
        ("[click](javascript:alert(1))", r"\[click\](javascript:alert(1))"),
        ("![](http://tracker/x.png)", r"!\[\](http://tracker/x.png)"),
        ("a | b\n# head", r"a \| b # head"),
        ("**bold** `code` _x_", r"\*\*bold\*\* \`code\` \_x\_"),
        ("rhat_max < 1.01", "rhat_max < 1.01"),
        ("\x1b[2J", r"\\x1b\[2J"),
    ],
)
def test_markdown_shows_a_name_as_it_is(text, expected):
    assert markdown(text) == expected
