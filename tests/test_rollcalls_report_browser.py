"""The report in a real browser: nothing asked of the network, no errors, tables that work."""

import base64
import hashlib
import html as html_module
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from example_report import example_input
from needs import missing

from tallgrass.report.words import chance
from tallgrass.rollcalls.people import person
from tallgrass.rollcalls.report import build
from tallgrass.rollcalls.summaries import probability_right_of

pytestmark = pytest.mark.browser

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")

# Does what a reader does, then writes down what the page shows.
READER = """
<script>
const seen = {};
// A frame of another process starts without a size; a reader waits for the page to be there.
const there = () => new Promise((done) => {
  const look = () => window.innerWidth > 900 ? done() : setTimeout(look, 20);
  look();
});
there().then(() => {
const table = document.querySelector("#ideal-points table");
const column = (n) => [...table.tBodies[0].rows].filter((r) => !r.hidden)
  .map((r) => r.cells[n].textContent);
const button = (title) => [...table.tHead.querySelectorAll("[role=button]")]
  .find((b) => b.textContent === title);
seen.byRank = column(0);
button("Legislator").click();
seen.byName = column(0);
button("Votes").click();
seen.votes = column(8);
button("Votes").click();
seen.votesDown = column(8);
seen.sorted = [...table.tHead.querySelectorAll("[aria-sort]")].map((th) => th.ariaSort);
const box = document.querySelector("#ideal-points input");
box.value = "emile";
box.dispatchEvent(new Event("input"));
seen.found = column(0);
seen.count = document.querySelector("#ideal-points .found").textContent;
const tool = document.querySelector(".pairs");
const [first, second] = tool.querySelectorAll("select");
const pair = (i, j) => {
  first.selectedIndex = i;
  second.selectedIndex = j;
  first.dispatchEvent(new Event("change", {bubbles: true}));
  return [first.value, second.value, tool.querySelector("output").textContent];
};
seen.pairs = [pair(7, 2), pair(2, 7), pair(4, 4)];
seen.toolShown = !tool.hidden;
const link = document.querySelector("nav a[href='#environment']");
link.click();
seen.scrolled = window.scrollY > 500;
seen.wide = document.documentElement.scrollWidth > document.documentElement.clientWidth;
seen.images = [...document.images].map((i) => i.complete && i.naturalWidth > 0);
const line = JSON.stringify(seen);
if (window.parent === window) document.body.innerHTML = "<pre id=seen></pre>";
if (window.parent === window) document.getElementById("seen").textContent = line;
else window.parent.postMessage(line, "*");
});
</script>
"""

# MLflow shows an HTML artifact in a frame like this one: a blob, scripts and nothing else allowed.
FRAME = """<!DOCTYPE html><link rel="icon" href="data:,"><body><script>
const frame = document.createElement("iframe");
frame.sandbox = "allow-scripts";
frame.width = 1100; frame.height = 900;
frame.src = URL.createObjectURL(new Blob([%s], {type: "text/html"}));
window.addEventListener("message", (event) => {
  document.body.innerHTML = "<pre id=seen></pre>";
  document.getElementById("seen").textContent = event.data;
});
document.body.append(frame);
</script>"""


@pytest.fixture(scope="module")
def browser() -> str:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        reason = f"no browser: none of {', '.join(BROWSERS)} is installed"
        missing(reason)
    return found


@pytest.fixture(scope="module")
def page() -> str:
    return build(example_input())


def opened(browser: str, folder: Path, page: str) -> tuple[str, list[str]]:
    """The document after its scripts ran, and what the console said."""
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"]
    command += [f"--user-data-dir={folder / 'profile'}", "--window-size=1100,900"]
    command += ["--disable-background-networking", "--virtual-time-budget=10000", "--dump-dom"]
    done = subprocess.run(
        [*command, path.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout, re.findall(r'CONSOLE[^"]*"(.*)", source', done.stderr)


def seen(document: str) -> dict:
    found = re.search(r'<pre id="seen">(.*?)</pre>', document, re.DOTALL)
    assert found, document[-500:]
    return json.loads(html_module.unescape(found.group(1)))


def read(page: str) -> str:
    """The page with the reader at its end, which the page's policy is told to let run."""
    assert page.rstrip().endswith("</html>")
    script = re.search(r"<script>(.*)</script>", READER, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page = page.replace("script-src '", f"script-src 'sha256-{digest}' '", 1)
    return page.replace("</body>", READER + "</body>")


def chance_of(first: str, second: str) -> str:
    """What the draws say, in the words of the report; people are named as in the tool."""
    run = example_input()
    slugs = {person(row): row["slug"] for _, row in run.tables.ideal_points.iterrows()}
    return chance(probability_right_of(run.trace, slugs[first], slugs[second]))


def check(what: dict) -> None:
    n = len(what["byRank"])
    assert n == 30
    assert what["byRank"] != what["byName"]
    assert sorted(what["byRank"]) == sorted(what["byName"])
    # by last name, then by first name in a reader's alphabet: Émile stands with E, not after Z
    names = [name.replace("É", "E").split() for name in what["byName"]]
    assert names == sorted(names, key=lambda words: words[::-1])
    votes = [int(text.replace(",", "")) for text in what["votes"]]
    assert votes == sorted(votes)
    assert [int(text.replace(",", "")) for text in what["votesDown"]] == sorted(votes)[::-1]
    assert what["sorted"] == ["descending"]
    assert what["found"]
    assert all(name.startswith("Émile") for name in what["found"])
    assert what["count"] == f"{len(what['found'])} of {n}"
    assert what["toolShown"]
    right_of, same = what["pairs"][:2], what["pairs"][2]
    for first, second, text in right_of:
        probability = chance_of(first, second)
        expected = f"{first} is to the right of {second} with a probability of {probability}."
        assert text == expected.replace(" %", "\N{NO-BREAK SPACE}%")
    assert right_of[0][:2] == right_of[1][:2][::-1]
    assert same[2] == "Choose two different legislators."
    assert what["scrolled"]
    assert not what["wide"]
    assert len(what["images"]) == 9
    assert all(what["images"])


def test_a_reader_can_sort_filter_and_follow_the_contents(browser, tmp_path, page):
    document, console = opened(browser, tmp_path, read(page))
    assert console == []
    check(seen(document))


def test_the_report_works_in_a_sandboxed_frame(browser, tmp_path, page):
    text = json.dumps(read(page)).replace("</", "<\\/")
    document, console = opened(browser, tmp_path, FRAME % text)
    assert console == []
    check(seen(document))


def test_nothing_is_asked_of_the_network_even_if_the_page_held_a_link_to_it(
    browser, tmp_path, page
):
    # Also shows that the two tests above would see a request: the page's own policy reports it.
    tracker = '<img src="https://example.invalid/pixel.png" alt="">'
    _, console = opened(browser, tmp_path, page.replace("</main>", tracker + "</main>"))
    assert len(console) == 1
    assert "example.invalid" in console[0]
    assert "Content Security Policy" in console[0]
