"""`fairlead check --format html`: looked at with a real browser, on a desk, on a phone and on paper, light and dark."""

import subprocess

import pytest

import browser
import programs
from browser import Browser, Page

BUNDLES = programs.TREE / "tests" / "bundles"

#: Failures with and without times, plots, sessions that pass, names and texts that try to break out.
SHOWN = ["udp-4172-blocked-both-sides", "bad-network", "good-brokered-session", "hostile-names",
         "names-in-any-script", "wrong-password-without-stamps", "truncated-archive"]

SCRIPT = '<script>document.title="owned"</script>'
HOSTILE = (
    "2031-03-24T21:10:59.601Z 66244680-a4d4-1044-a77f-000000000000 > LVL:2 RC:   0           AGENT :"
    "Received authenticate-password command.\n"
    "2031-03-24T21:11:00.601Z 66244680-a4d4-1044-a77f-000000000000 > LVL:2 RC:   0           AGENT :"
    f"Failed to authenticate user '{SCRIPT}<img src=http://127.0.0.1:9/x onerror=document.title=1>\u202eexe\x1b[2J"
    f"{'A' * 600}' with domain 'STUDIO'\n"
)

pytestmark = pytest.mark.skipif(browser.PROGRAM is None, reason="needs Debian's package chromium")


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    (folder / "hostile.log").write_text(HOSTILE)
    file = folder / "report.html"
    result = programs.run(programs.program("fairlead"), "check", "--format", "html", "--output", file,
                          folder / "hostile.log", *[BUNDLES / name / "input" for name in SHOWN])
    assert result.returncode == 3, result.stderr
    return file


@pytest.fixture(scope="module")
def chromium():
    running = Browser()
    yield running
    running.close()


@pytest.fixture
def show(chromium, report):
    pages = []

    def open_page(**how):
        pages.append(Page(chromium, report, **how))
        return pages[-1]

    yield open_page
    for page in pages:
        page.close()


def test_is_well_formed(report):
    result = programs.run("xmllint", "--noout", "--nonet", "--huge", report)
    assert result.returncode == 0, result.stderr


def test_makes_no_request_and_no_complaint(show, report):
    page = show()
    assert page.requests() == [report.as_uri()]
    assert page.complaints() == []
    assert page.value("document.scripts.length") == 0
    assert page.value("document.title") == "Health check: " + page.value("document.querySelector('h1').textContent")
    assert "owned" not in page.value("document.title")
    assert SCRIPT in page.value("document.body.textContent")


def test_reads_without_script(show):
    page = show(script=False)
    assert len(page.picture()) > 20000


# The colours of every text against what is behind it, as the rules for accessible pages count
# contrast. Texts in drawings are checked as well; their background is the card's.
CONTRAST = """
(() => {
  const parts = text => { const found = text.match(/[\\d.]+/g).map(Number); return found.length > 3 ? found : [...found, 1]; };
  const light = c => { const s = c / 255; return s <= .04045 ? s / 12.92 : ((s + .055) / 1.055) ** 2.4; };
  const luminance = ([r, g, b]) => .2126 * light(r) + .7152 * light(g) + .0722 * light(b);
  const behind = node => {
    for (; node; node = node.parentElement) {
      const colour = parts(getComputedStyle(node).backgroundColor);
      if (colour[3] > 0) return colour;
    }
    return [255, 255, 255, 1];
  };
  const faults = [];
  for (const node of document.body.querySelectorAll('*')) {
    const own = [...node.childNodes].some(child => child.nodeType === 3 && child.data.trim());
    if (!own || !node.getClientRects().length || ['TITLE', 'DESC', 'title', 'desc'].includes(node.tagName)) continue;
    const style = getComputedStyle(node);
    const ink = parts(node instanceof SVGElement ? style.fill : style.color);
    const [a, b] = [luminance(ink), luminance(behind(node))].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    const large = parseFloat(style.fontSize) >= 24;
    if (ratio < (large ? 3 : 4.5)) faults.push([node.tagName, node.className.baseVal ?? node.className, node.textContent.slice(0, 30), ratio.toFixed(2)]);
  }
  return faults.slice(0, 20);
})()
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 360])
def test_light_and_dark_can_be_read(show, scheme, width):
    page = show(width=width, scheme=scheme)
    background = page.value("getComputedStyle(document.body).backgroundColor")
    bright = sum(int(part) for part in background[4:-1].split(",")) > 384
    assert bright == (scheme == "light")
    assert page.value(CONTRAST) == []


# Whatever sticks out of the window to the right, but for boxes that scroll by themselves.
OUTSIDE = """
[...document.body.querySelectorAll('*')]
  .filter(node => node.getClientRects().length && !node.closest('.lines, defs, symbol')
    && node.getBoundingClientRect().right > innerWidth + 1)
  .slice(0, 10).map(node => [node.tagName, node.className.baseVal ?? node.className, node.textContent.slice(0, 40)])
"""

# Texts of one drawing that lie upon each other.
OVERLAPS = """
[...document.querySelectorAll('svg[role=img]')].flatMap(drawing => {
  const boxes = [...drawing.querySelectorAll('text.stage, text.outcome, .stages text.axis')]
    .map(text => [text.textContent, text.getBoundingClientRect()]).filter(([, box]) => box.width > 0);
  return boxes.flatMap(([a, p], i) => boxes.slice(i + 1)
    .filter(([, q]) => p.left < q.right && q.left < p.right && p.top + 2 < q.bottom && q.top + 2 < p.bottom)
    .map(([b]) => [a, b]));
}).slice(0, 10)
"""


@pytest.mark.parametrize("width", [320, 360, 768, 1200, 1920])
def test_fits_every_width(show, width):
    page = show(width=width)
    assert page.value("innerWidth") == width
    assert page.value("document.documentElement.scrollWidth") <= width
    assert page.value(OUTSIDE) == []
    assert page.value(OVERLAPS) == []


def test_drawings_have_names(show):
    page = show()
    assert page.value("document.querySelectorAll('figure.stages svg[role=img]').length") >= 3
    assert page.value("document.querySelectorAll('figure.plot svg[role=img]').length") >= 1
    assert page.value("""[...document.querySelectorAll('svg[role=img]')].every(drawing =>
        drawing.getAttribute('aria-labelledby').split(' ').every(id => document.getElementById(id).textContent))""")
    # A failed stage differs by its form: its bar is hatched.
    assert page.value("document.querySelectorAll('.stages .bar.fail').length") == page.value(
        "document.querySelectorAll('.stages [fill=\"url(#hatch)\"]').length") > 0


def test_worst_comes_first(show):
    page = show()
    verdicts = page.value("[...document.querySelectorAll('article.session')].map(node => node.classList[2])")
    rank = ["fail", "warning", "note", "pass", "no-evidence"]
    assert verdicts == sorted(verdicts, key=rank.index)
    assert verdicts[0] == "fail"
    assert page.value("[...document.querySelectorAll('details.finding.fail')].every(node => node.open)")
    assert page.value("[...document.querySelectorAll('details.finding.pass')].every(node => !node.open)")


def test_links_lead_somewhere(show):
    page = show()
    assert page.value("""[...document.querySelectorAll('a[href^="#"]')]
        .filter(link => !document.getElementById(link.hash.slice(1))).map(link => link.hash)""") == []


def test_prints(show):
    """On paper: white even for those who like it dark, and nothing folded."""
    page = show(scheme="dark", medium="print", width=720)
    assert page.value("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.value(CONTRAST) == []
    assert page.value("""[...document.querySelectorAll('details:not([open]) > .body:not(:empty)')]
        .filter(node => node.offsetHeight === 0 || !node.checkVisibility({contentVisibilityAuto: true})).length""") == 0
    assert page.value("document.querySelectorAll('details:not([open]) > .body:not(:empty)').length") > 0
    paper = page.paper()
    assert paper.startswith(b"%PDF-")
    assert len(paper) > 20000


def test_command_line_browser_shows_the_same(report, tmp_path):
    """The plain way, without the debugging pipe."""
    result = subprocess.run(
        [browser.PROGRAM, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/data",
         "--dump-dom", report.as_uri()],
        capture_output=True, timeout=browser.LIMIT, text=True, preexec_fn=programs.die_with_parent)
    assert result.returncode == 0
    assert result.stdout.count("<details") == report.read_text().count("<details")
