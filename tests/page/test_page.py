# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of virtnet.rss.audit in a real browser: what is in its document after it was used."""

from __future__ import annotations

import html
import json
import re
import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.plugins.plugin_utils._fleet import fleet_report
from ansible_collections.virtnet.rss.plugins.plugin_utils._page import report_files, write_files
from ansible_collections.virtnet.rss.tests.support.fleet_answers import HOSTILE, STATES, answers

PHONE = Path(__file__).with_name("phone.js").read_text(encoding="utf-8")
# A window of Chromium's is never narrower than 500, a frame is.
FRAME = """
<script>onmessage = (message) => document.write('<pre class="told">' + JSON.stringify(message.data) + '</pre>')</script>
<iframe src="framed.html" width="{width}" height="844"></iframe>
"""
CONTRAST = Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")
# What Chromium calls the two, and the lightness of the page's back that goes with it.
SCHEMES = [("0", range(64)), ("1", range(192, 256))]
TEXT, GRAPHIC = 4.5, 3.0  # WCAG 2.1, 1.4.3 and 1.4.11
ENOUGH_SECONDS = 2.0  # a hundred times what it takes: other work may keep this machine busy


@pytest.fixture(scope="module", name="page")
def _page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 hosts with 25 devices each."""
    folder = tmp_path_factory.mktemp("page")
    made = answers(200, 25)
    write_files(str(folder / "audit"), report_files(fleet_report(list(made), made), "What steers the guests"))
    return folder / "audit.html"


def document(page: Path, script: str = "", *words: str) -> str:
    """The document after ``script`` has run in it."""
    used = page.with_name("used.html")
    used.write_text(page.read_text(encoding="utf-8") + f"<script>{script}</script>", encoding="utf-8")
    command = [
        "chromium",
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--dump-dom",
        f"--user-data-dir={page.parent}",
    ]
    done = subprocess.run([*command, *words, used.as_uri()], check=True, capture_output=True, text=True, timeout=60)
    return done.stdout


def told(page: Path, script: str, *words: str) -> t.Any:
    """What ``script`` has put into ``result``."""
    return answer(
        document(page, f"{script}; document.body.append(element('pre', JSON.stringify(result), 'told'));", *words)
    )


def answer(dom: str) -> t.Any:
    found = re.search(r'<pre class="told">(.*?)</pre>', dom)
    assert found
    return json.loads(html.unescape(found.group(1)))


def rows(dom: str) -> list[list[str]]:
    """The text of the cells of the devices that are in the document."""
    body = re.search(r'<tbody id="devices">(.*?)</tbody>', dom, re.DOTALL)
    assert body
    found = re.findall(r"<tr>(.*?)</tr>", body.group(1), re.DOTALL)
    return [[re.sub(r"<[^>]*>", "", cell) for cell in re.findall(r"<td.*?</td>", row, re.DOTALL)] for row in found]


def shown(dom: str) -> str:
    found = re.search(r'<p id="shown"[^>]*>(.*?)</p>', dom)
    assert found
    return found.group(1)


def find(text: str) -> str:
    return f"find.value = {json.dumps(text)}; find.dispatchEvent(new Event('input'));"


def test_what_is_seen_first(page: Path) -> None:
    dom = document(page)
    assert shown(dom) == "4975 of 4975 devices"
    assert 20 < len(rows(dom)) < 100  # those in sight, not thousands
    assert rows(dom)[0][:5] == ["hv000", "vnet0", "guest-0", "steered", "ebpf"]
    assert rows(dom)[0][9] == "would replace; another table"
    assert dom.count('<span class="bars"') > 10 and 'aria-label="packets per queue: ' in dom


def test_nothing_is_fetched_from_anywhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", text) and "@import" not in text


@pytest.mark.parametrize("width", [360, 390, 844])
def test_it_fits_a_phone(page: Path, width: int) -> None:
    """Upright and lying: nothing but the table is wider than the screen, and no column runs into the next."""
    framed, outer = page.with_name("framed.html"), page.with_name("outer.html")
    framed.write_text(page.read_text(encoding="utf-8") + f"<script>{PHONE}</script>", encoding="utf-8")
    outer.write_text(FRAME.format(width=width), encoding="utf-8")
    fits = answer(document(outer, "", "--virtual-time-budget=5000"))
    assert fits.pop("rows") > 10
    assert fits == {"width": width, "wider": 0, "overlaps": 0, "spilt": [], "small": 0}


def test_hostile_names_are_text(page: Path) -> None:
    """A process may call itself anything."""
    dom = document(page, find(HOSTILE))
    assert shown(dom) == "199 of 4975 devices"
    assert "<img" not in re.sub(r"<script.*?</script>", "", dom, flags=re.DOTALL)
    assert "<title>owned" not in dom and "no libbpf &lt;/script&gt;" in dom


FOUND: list[tuple[str, t.Callable[[list[str]], bool]]] = [
    (find("hv007 vnet3"), lambda cells: cells[0] == "hv007" and cells[1].startswith("vnet3")),
    ("document.querySelectorAll('#totals button')[2].click();", lambda cells: cells[3] == "automatic"),
    ("document.querySelectorAll('#totals button')[5].click();", lambda cells: "would" in cells[9]),
    ("document.querySelectorAll('#totals button')[6].click();", lambda cells: float(cells[6]) >= 1.5),
    ("document.querySelectorAll('#totals button')[7].click();", lambda cells: float(cells[7]) < float(cells[6])),
    ("document.querySelectorAll('#totals button')[8].click();", lambda cells: cells[0] == "hv000"),
    (find("stopped"), lambda cells: cells[10] == "stopped"),
    (find("guest-7"), lambda cells: cells[2] == "guest-7"),
    (find("busiest"), lambda cells: cells[3] == "automatic" and cells[7] == "1.01"),
]


@pytest.mark.parametrize(
    ("script", "is_wanted"),
    FOUND,
    ids=["find", "automatic", "drift", "uneven", "would gain", "stopped", "find stopped", "find guest", "find advice"],
)
def test_filter(page: Path, script: str, is_wanted: t.Callable[[list[str]], bool]) -> None:
    found = rows(document(page, script))
    assert found and all(map(is_wanted, found))


def test_sort(page: Path) -> None:
    twice = "for (const _ of [1, 2]) document.querySelectorAll('#head button')[8].click();"
    dropped = [int(cells[8]) for cells in rows(document(page, twice))]
    assert dropped[0] == 24 and dropped == sorted(dropped, reverse=True)


def test_sort_by_service(page: Path) -> None:
    once = "document.querySelectorAll('#head button')[10].click();"
    assert rows(document(page, once))[0][10] == "running" and rows(document(page, once * 2))[0][10] == "stopped"


def test_scroll(page: Path) -> None:
    """The rows further down come into the document, those above leave it."""
    found = rows(document(page, "frame.scrollTop = 31 * 2500; draw();"))
    assert 20 < len(found) < 100 and found[0][0] > "hv090"


def test_hosts_that_need_a_look(page: Path) -> None:
    dom = document(page)
    assert '<td>hv002</td><td class="bad">unreachable</td>' in dom
    assert re.search(r"<td>hv000</td><td[^>]*>supported</td><td>[^<]*</td><td>the service is stopped</td>", dom)
    assert (
        '<td>hv001</td><td class="bad">unsupported</td>' in dom and "<td>hv003</td>" not in dom.split('id="hosts"')[1]
    )


@pytest.mark.parametrize(("scheme", "back"), SCHEMES, ids=["dark", "light"])
def test_readable(page: Path, scheme: str, back: range) -> None:
    """Every colour that the page gives to a text, or to a bar, on what is behind it."""
    result = told(page, CONTRAST, f"--blink-settings=preferredColorScheme={scheme}")
    assert result["back"][0] in back
    kinds = dict.fromkeys(("text", "dim", "placeholder", "button", "head", "note", *STATES, "bad"), TEXT)
    assert set(result["contrast"]) == {*kinds, "bar"}
    poor = {name: found for name, found in result["contrast"].items() if found < kinds.get(name, GRAPHIC)}
    assert not poor


def test_quick(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Sorting by each column and finding, over 5,000 devices, until the rows have their places."""
    result = told(page, (Path(__file__).with_name("quick.js")).read_text(encoding="utf-8"))
    slowest = max(result, key=lambda name: result[name])
    with capsys.disabled():
        print(f" slowest of {len(result)} over 4,975 devices: {slowest}, {result[slowest]:.0f} ms")
    assert result[slowest] < ENOUGH_SECONDS * 1000
