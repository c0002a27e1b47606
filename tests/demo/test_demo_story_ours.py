"""Our side of the story, played small: no dead end, the same twice, and not ok where guidance is static."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from doenda.assurance import guidance
from doenda.assurance.guidance import OfferedWay
from doenda.demo.story import ours, population, report, run, scenario, then
from doenda.demo.story.book import Book

OF = replace(scenario.load(), hours=(12,))
"""All come at noon, when the fault comes, too: few hours make few walks."""


def _played(count: int, sample: int, *, seed: int = 5) -> run.Played:
    everyone = population.make(count, seed, OF)
    made = run.Played(OF, everyone, seed, Book(run.truth_of(OF)), Book(run.truth_of(OF)))
    ours.play(everyone, OF, made.ours, seed, sample=sample)
    then.play(everyone, OF, made.then, seed)
    run.judge(made)
    return made


@pytest.fixture
def static_guidance(monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted bug: what may be named is written down once, as the carrier of then did."""
    ways = tuple(OfferedWay(f"web/{name}/sandbox", name, "web", True, "sandbox") for name in ("transfer", "card"))
    monkeypatch.setattr(guidance.Snapshot, "named", lambda self, medium, purpose="pay", device="": ways)


def test_nobody_meets_a_dead_end_and_whoever_wants_to_pay_has_paid_or_has_a_date(committed_db: str) -> None:
    played = _played(40, 6)
    told = played.ours.figures()
    assert played.failures == []
    assert told["dead_ends"] == told["wrongful_steps"] == told["wrongful_threats"] == told["ways_unnamed"] == 0
    begun = sum(one.begins < OF.days - 1 for one in played.customers)
    assert int(told["customers_paid"]) + int(told["customers_promised"]) >= begun
    assert int(told["customers_promised"]) > 0
    assert int(told["seconds_until_noticed"]) <= 120
    assert played.ours.of(played.customers[0]).paid == played.customers[0].amount
    assert played.ours.counts["visits_on_pages"] >= 6
    assert int(told["failed_tries"]) + played.ours.counts["reports"] > 0
    assert int(told["connected_calls"]) > 0
    assert int(played.then.figures()["dead_ends"]) > 0
    _a_page_that_can_be_read(played)


def test_the_same_seed_gives_the_same_figures(test_server: Any, django_db_blocker: Any) -> None:
    told = []
    with django_db_blocker.unblock():
        for _ in range(2):
            name = test_server.clone()
            test_server.use(name)
            try:
                told.append(_played(6, 2).ours.as_data())
            finally:
                test_server.use("doenda_test")
                test_server.run(f"DROP DATABASE {name} WITH (FORCE)", role="postgres")
    assert told[0] == told[1]


def test_guidance_that_keeps_naming_the_broken_ways_is_not_ok(committed_db: str, static_guidance: None) -> None:
    played = _played(6, 2)
    told = played.ours.figures()
    assert int(told["dead_ends"]) > 0 or int(told["ways_unnamed"]) > 0
    assert int(told["broken_ways_named"]) > 0
    assert played.failures


def test_the_command_prints_one_object_and_writes_its_page(tmp_path: Path) -> None:
    env = {
        name: value for name, value in os.environ.items() if not name.startswith(("DATABASE_", "DOENDA_", "DJANGO_"))
    }
    page = tmp_path / "story.html"
    argv = [sys.executable, "-m", "doenda.app.cli", "story", "--customers", "2", "--json", "--report", str(page)]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=240, check=False)
    told = json.loads(done.stdout)
    assert told["ok"], told["failures"]
    assert done.returncode == 0
    contract = {"dead_ends", "wrongful_steps", "disconnected_calls", "days_until_noticed", "collected"}
    assert contract <= told["figures"]["ours"].keys() & told["figures"]["then"].keys()
    assert any("not modelled" in note for note in told["notes"])
    assert f"{told['figures']['then']['dead_ends']:,}" in page.read_text(encoding="utf-8")


def _a_page_that_can_be_read(played: run.Played) -> None:
    page = report.page(played)
    tags = _Tags()
    tags.feed(page)
    assert not tags.open
    assert not tags.seen & {"script", "link", "img", "iframe"}
    assert "http" not in page.replace("http-equiv", "")
    for svg in page.split("<svg ")[1:]:
        plot = ET.fromstring("<svg " + svg.split("</svg>")[0] + "</svg>")
        named = plot.attrib["aria-labelledby"].split()
        assert [child.attrib["id"] for child in list(plot)[:2]] == named
        assert all(child.text for child in list(plot)[:2])
    for side in ("ours", "then"):
        for name in ("dead_ends", "collected", "customers_paid"):
            assert f"<td>{played.figures[side][name]:,}</td>" in page
    assert run.NOT_MODELLED.split("'")[0] in page


class _Tags(HTMLParser):
    """Every tag that was opened is closed, in order."""

    EMPTY = frozenset({"meta", "rect", "circle", "path", "polyline", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.EMPTY:
            assert self.open.pop() == tag
