"""What a reader sees and does in the report: screens, filter, cards, CSV, dark, print."""

import base64
import csv
import io
import re
import shutil
import subprocess

import pytest
from example_report import example_input
from needs import missing

from tallgrass.rollcalls.people import person
from tallgrass.rollcalls.report import build

pytestmark = pytest.mark.browser

FOREST = "#figure-forest tbody tr"
SHOWN_TEXT = """
const inside = (r) => r.width && r.bottom > 0 && r.top < innerHeight && r.left < innerWidth;
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const words = [], range = document.createRange();
while (walker.nextNode()) {
  range.selectNodeContents(walker.currentNode);
  if (inside(range.getBoundingClientRect())) words.push(walker.currentNode.textContent.trim());
}
return words.join(" ").replace(/\\s+/g, " ");
"""
# Ratio of the luminances of text and what is behind it, as WCAG 2 defines it; the lowest of all.
LOWEST_CONTRAST = """
const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
const light = (colour, under) => {
  canvas.fillStyle = under; canvas.fillRect(0, 0, 1, 1);
  canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
  const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = (element) => {
  for (let e = element; e; e = e.parentElement) {
    const colour = getComputedStyle(e).backgroundColor;
    if (!/^rgba.*, 0[)]$/.test(colour)) return colour;
  }
};
let lowest = [21, ""];
const texts = "h1,h2,p,li,th,td,dt,dd,a,button,summary,.badge";
for (const element of document.querySelectorAll(texts)) {
  const text = element.textContent.trim();
  if (!text || !element.checkVisibility() || element.closest("svg")) continue;
  const back = ground(element), colour = getComputedStyle(element).color;
  const [x, y] = [light(colour, back), light(back, back)];
  const ratio = (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
  if (ratio < lowest[0]) lowest = [ratio, element.tagName + " " + text.slice(0, 40)];
}
return lowest;
"""


@pytest.fixture(scope="module")
def run():
    return example_input()


@pytest.fixture(scope="module")
def path(run, tmp_path_factory):
    file = tmp_path_factory.mktemp("page") / "index.html"
    file.write_text(build(run), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    programs = [shutil.which("chromium") or shutil.which("google-chrome")]
    programs.append(shutil.which("chromedriver"))
    if not all(programs):
        missing("no Chromium with its chromedriver is installed")
    options = webdriver.ChromeOptions()
    options.binary_location = programs[0]
    for flag in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage"):
        options.add_argument(f"--{flag}")
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('profile')}")
    found = webdriver.Chrome(options=options, service=Service(programs[1]))
    yield found
    found.quit()


@pytest.fixture
def page(driver, path):
    """Opens the report anew at a width, on a light or dark system, with scripts or without."""

    def opened(width=1500, height=1050, scheme="light", scripts=True):
        driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        media = [{"name": "prefers-color-scheme", "value": scheme}]
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not scripts})
        driver.get("about:blank")
        driver.get(path.as_uri())
        return driver

    yield opened
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def choose(driver, party="", district=""):
    driver.execute_script(
        "const f = document.getElementById('filter');"
        "f.querySelector('select').value = arguments[0];"
        "f.querySelector('input').value = arguments[1];"
        "f.dispatchEvent(new Event('input'));",
        party,
        district,
    )


def shown(driver, selector):
    """The number of elements of a selector that a reader sees in full strength."""
    return driver.execute_script(
        "return [...document.querySelectorAll(arguments[0])].filter((e) => e.checkVisibility() &&"
        " getComputedStyle(e).opacity === '1').length",
        selector,
    )


def printed(driver):
    """The words of every page as it is printed."""
    if not shutil.which("pdftotext"):
        missing("pdftotext of poppler is not installed")
    sheet = driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
    text = subprocess.run(
        ["pdftotext", "-layout", "-", "-"],
        input=base64.b64decode(sheet["data"]),
        capture_output=True,
        check=True,
    )
    return text.stdout.decode().split("\f")[:-1]


def test_the_first_screen_of_a_wide_window_has_title_verdict_checks_and_findings(page):
    words = page().execute_script(SHOWN_TEXT)
    for expected in ("House, example", "2025-06-01 12:00 UTC", "Every check passed"):
        assert expected in words
    assert "Highest R-hat" in words
    assert "Parameters and environment" in words  # the contents stand beside


def test_the_first_screen_of_a_phone_has_title_tools_and_verdict_and_scrolls_one_way(page):
    driver = page(400, 850)
    words = driver.execute_script(SHOWN_TEXT)
    for expected in ("House, example", "District", "Every check passed"):
        assert expected in words
    assert driver.execute_script("return document.documentElement.scrollWidth") == 400


def test_a_phone_shows_name_mark_and_estimate_of_a_legislator_side_by_side(page, run):
    driver = page(400, 850)
    driver.execute_script("document.querySelector('#figure-forest').scrollIntoView()")
    words = driver.execute_script(SHOWN_TEXT)
    first = run.tables.ideal_points.sort_values("rank").iloc[0]
    assert f"{person(first)} " in words
    assert f"{first['mean']:.2f}" in words
    # every value of a wide table is within the width, under its title
    outside = driver.execute_script(
        "return [...document.querySelectorAll('#ideal-points td')].filter((e) =>"
        " e.checkVisibility() && e.getBoundingClientRect().right > innerWidth).length"
    )
    assert outside == 0
    size = driver.execute_script(
        f"return parseFloat(getComputedStyle(document.querySelector('{FOREST} th')).fontSize)"
    )
    assert size >= 12


def test_a_filter_moves_pictures_and_tables_together(page, run):
    driver = page()
    democrats = sum(member.party == "Democrat" for member in run.votes.legislators)
    places = (FOREST, "#ideal-points tbody tr", "#figure-comparison a[data-who]")
    assert [shown(driver, place) for place in places] == [30, 30, 30]
    choose(driver, party="Democrat")
    assert [shown(driver, place) for place in places] == [democrats] * 3
    said = driver.execute_script("return document.querySelector('#filter output').textContent")
    assert said == f"{democrats} of 30 legislators"
    choose(driver, district="2-5, 9")
    assert [shown(driver, place) for place in places] == [5, 5, 5]
    choose(driver)
    assert [shown(driver, place) for place in places] == [30, 30, 30]


def test_a_name_opens_its_card_by_keyboard_and_a_neighbour_the_next(page, run):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    driver = page()
    ranked = run.tables.ideal_points.sort_values("rank")
    driver.find_element(By.CSS_SELECTOR, f"{FOREST} a").send_keys(Keys.ENTER)
    card = driver.find_element(By.ID, "card")
    assert person(ranked.iloc[0]) in card.text
    assert "Votes cast" in card.text
    card.find_element(By.CSS_SELECTOR, "li a").click()
    assert card.find_element(By.TAG_NAME, "h3").text == person(ranked.iloc[1])
    card.send_keys(Keys.ESCAPE)
    assert not card.is_displayed()


def test_a_mark_of_the_scatter_opens_a_card(page):
    driver = page()
    driver.execute_script(
        "document.querySelector('#figure-comparison a[data-who]')"
        ".dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}))"
    )
    assert driver.execute_script("return document.getElementById('card').open")


def test_the_csv_of_a_table_is_the_table_as_it_is_shown(page):
    driver = page()
    choose(driver, party="Republican")
    table = "#ideal-points table"
    text = driver.execute_async_script(
        "const done = arguments[1];"
        "URL.createObjectURL = (blob) => { blob.text().then(done); return 'blob:x'; };"
        "document.querySelector(arguments[0] + ' .csv').click();",
        table,
    )
    lines = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    cells = driver.execute_script(
        f"return [...document.querySelector('{table}').rows].filter((r) => r.checkVisibility())"
        ".map((r) => [...r.cells].map((c) => c.textContent.trim()))"
    )
    plain = [[c.replace("\N{NO-BREAK SPACE}", " ") for c in row] for row in cells]
    as_numbers = [[c.replace("\N{MINUS SIGN}", "-", c[:1] == "\N{MINUS SIGN}") for c in row]
                  for row in plain]  # fmt: skip
    assert lines == as_numbers
    assert len(lines) == 19


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_stands_out_from_its_ground(page, scheme):
    driver = page(scheme=scheme)
    ratio, where = driver.execute_script(LOWEST_CONTRAST)
    assert ratio >= 4.5, where


def test_the_switch_turns_a_light_page_dark(page):
    driver = page()
    colour = "return getComputedStyle(document.body).backgroundColor"
    assert driver.execute_script(colour) == "rgb(255, 255, 255)"
    driver.execute_script("document.getElementById('theme').click()")
    assert driver.execute_script(colour) == "rgb(22, 25, 29)"


def test_without_scripts_everything_can_be_read_and_no_tool_is_shown(page, run):
    driver = page(scripts=False)
    document = driver.execute_cdp_cmd("DOM.getDocument", {"depth": 0})["root"]["nodeId"]

    def found(selector):
        query = {"nodeId": document, "selector": selector}
        return driver.execute_cdp_cmd("DOM.querySelectorAll", query)["nodeIds"]

    assert len(found(FOREST)) == len(found(".cards article")) == 30
    words = " ".join(printed(driver))
    assert person(run.tables.ideal_points.sort_values("rank").iloc[0]) in words
    for tool in ("#tools[hidden]", ".pairs[hidden]", "#filter[hidden]"):
        assert found(tool)
    assert not found("[role=button]")
    # a name leads to the card itself
    assert len(found("a.who[href^='#who-']")) > 100


def test_in_print_every_page_of_a_table_has_its_head(page):
    driver = page()
    rows = driver.execute_script(
        # so many that the table of everybody cannot stand on one page
        "const body = document.querySelector('#ideal-points tbody');"
        "for (let i = 0; i < 4; i++) body.append(...body.cloneNode(true).rows);"
        "return body.rows.length;"
    )
    assert rows == 480
    row = re.compile(r"(Republican|Democrat) .* \d+ %")
    sheets = [sheet for sheet in printed(driver) if len(row.findall(sheet)) > 50]
    assert len(sheets) > 3
    assert all("95 % interval" in sheet and "Yeas" in sheet for sheet in sheets)


def test_the_report_is_printed_in_under_25_pages_with_every_picture(page):
    sheets = printed(page())
    assert len(sheets) < 25
    captions = re.findall(r"^ *Figure (\d+)\.", "\n".join(sheets), re.MULTILINE)
    assert captions == [str(n + 1) for n in range(12)]


def test_the_summary_has_two_pages_with_findings_and_every_legislator(page, run):
    driver = page()
    driver.execute_script("window.print = () => {}; document.getElementById('print-brief').click()")
    first, second = printed(driver)
    assert "Key findings" in first
    assert "Every check passed" in first
    for _, row in run.tables.ideal_points.iterrows():
        assert person(row) in second


def test_the_report_of_a_chamber_is_under_four_megabytes():
    run = example_input(n_legislators=125, n_rollcalls=226, draws=100)
    assert len(build(run).encode()) < 4_000_000
