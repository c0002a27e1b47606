"""The story on one page: plots as inline SVG with text alternatives, the figures, and where each input comes from.

No script, no style and no picture from elsewhere. Korean first, English beside it.
"""

from collections.abc import Mapping, Sequence
from html import escape
from itertools import accumulate
from pathlib import Path

from doenda.demo.story import plots
from doenda.demo.story.run import NOT_MODELLED, Played, told_of_the_first

STYLE = Path(__file__).with_name("report.css")
NAMES: Mapping[str, tuple[str, str]] = {
    "dead_ends": ("막다른 길", "Dead ends met"),
    "customers_with_dead_ends": ("막다른 길을 만난 고객", "Customers who met one"),
    "most_dead_ends": ("한 고객이 가장 많이 만난 횟수", "Most by one customer"),
    "calls": ("상담 전화", "Calls"),
    "disconnected_calls": ("끊긴 전화", "Calls disconnected"),
    "connected_calls": ("상담원과 이어진 전화", "Calls connected"),
    "wait_minutes_median": ("이어지기까지(분, 가운데)", "Minutes until connected, median"),
    "wait_minutes_p95": ("이어지기까지(분, 95%)", "Minutes until connected, p95"),
    "called_back": ("저희가 건 전화", "Called back by us"),
    "waits_told": ("기다릴 시간을 말씀드린 전화", "Callers told how long"),
    "waits_kept": ("그 안에 이어진 전화", "Connected within that"),
    "callbacks": ("약속한 전화", "Callbacks asked for"),
    "texts": ("보낸 문자", "Texts sent"),
    "wrongful_threats": ("낼 방법 없이 정지를 알린 문자", "Threats while no named way worked"),
    "wrongful_steps": ("부당한 가산금·정지", "Wrongful fees and suspensions"),
    "ways_unnamed": ("되는 방법을 알려 주지 않은 횟수", "Working ways not named to who needed them"),
    "broken_ways_named": ("안 되는 방법을 알려 준 횟수", "Broken ways named"),
    "days_until_noticed": ("알아차리기까지(일)", "Days until noticed"),
    "customers_paid": ("낸 고객", "Customers who paid"),
    "customers_promised": ("날짜를 약속한 고객", "Customers with a dated promise"),
    "collected": ("받은 금액(원)", "Collected (won)"),
}

OURS_ALONE = ("called_back", "waits_told", "waits_kept")


def page(played: Played) -> str:
    """The whole document."""
    count, days = len(played.customers), played.scenario.days
    parts = [
        _head(played),
        _figures(played),
        _section(
            "받은 금액",
            "Collected",
            plots.lines(
                "collected",
                "날마다 모두 얼마를 받았는지 / Won collected by the end of each day",
                {"ours": _summed(played, "ours"), "then": _summed(played, "then")},
            ),
        ),
        _section(
            "막다른 길",
            "Dead ends by day",
            plots.bars(
                "dead-ends",
                "날마다 몇 번 막다른 길을 만났는지 / Dead ends met on each day",
                [str(day + 1) for day in range(days)],
                {side: _by_day(played, side, "dead_ends") for side in ("ours", "then")},
            ),
        ),
        _section(
            "고객마다",
            "Dead ends by customer",
            plots.bars(
                "customers",
                "막다른 길을 몇 번 만난 고객이 몇 명인지 / Customers by how many dead ends they met",
                [*map(str, range(_MOST)), f"{_MOST}+"],
                {side: _by_customer(played, side, count) for side in ("ours", "then")},
            ),
        ),
        _sources(played),
    ]
    style = STYLE.read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="ko">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>된다: 열나흘 이야기 / Doenda: the fourteen days</title>\n<style>\n{style}</style>\n"
        "</head>\n<body>\n<main>\n" + "\n".join(parts) + "\n</main>\n</body>\n</html>\n"
    )


_MOST = 10


def _summed(played: Played, side: str) -> list[int]:
    return list(accumulate(_by_day(played, side, "collected")))


def _by_day(played: Played, side: str, name: str) -> list[int]:
    book = played.ours if side == "ours" else played.then
    return [book.by_day[name][day] for day in range(played.scenario.days)]


def _by_customer(played: Played, side: str, count: int) -> list[int]:
    found = (played.ours if side == "ours" else played.then).dead_ends_by_customer()
    met = [found[number] for number in range(1, _MOST)] + [sum(n for many, n in found.items() if many >= _MOST)]
    return [count - sum(met), *met]


def _english(words: str) -> str:
    return f'<span lang="en">{escape(words)}</span>'


def _section(korean: str, english: str, body: str) -> str:
    return f"<section>\n<h2>{escape(korean)} {_english(english)}</h2>\n{body}\n</section>"


def _head(played: Played) -> str:
    first, last = played.scenario.day(0), played.scenario.day(played.scenario.days - 1)
    ok = "된다" if not played.failures else "안 된다"
    said = "".join(f"<li>{_english(failure)}</li>" for failure in played.failures)
    return (
        f"<h1>열나흘 이야기 {_english('The fourteen days')}</h1>\n"
        f"<p>고객 {len(played.customers):,}명의 {first:%Y-%m-%d}부터 {last:%Y-%m-%d}까지를 된다로, "
        f"그리고 그때 방식으로 다시 살아 봤어요. 고객도 고장도 같아요. 결과: <strong>{ok}</strong></p>\n"
        f'<p lang="en">{len(played.customers):,} customers, {first} to {last}, seed {played.seed}: the same people and '
        "the same faults, with this code (ours) and with the carrier's way of then.</p>\n"
        f"<p>{_english(told_of_the_first(played))}</p>\n" + (f"<ul>{said}</ul>" if said else "")
    )


def _figures(played: Played) -> str:
    rows = []
    for name, (korean, english) in NAMES.items():
        cells = "".join(f"<td>{_figure(played, side, name)}</td>" for side in ("ours", "then"))
        rows.append(f'<tr><th scope="row">{escape(korean)} {_english(english)}</th>{cells}</tr>')
    table = (
        '<table>\n<thead><tr><th scope="col"></th><th scope="col">된다 <span lang="en">ours</span></th>'
        f'<th scope="col">그때 <span lang="en">then</span></th></tr></thead>\n'
        f"<tbody>\n{'\n'.join(rows)}\n</tbody>\n</table>"
    )
    note = f'<p class="note" lang="en">Not modelled: {escape(NOT_MODELLED)}.</p>'
    return _section("결과", "Figures", table + "\n" + note)


def _figure(played: Played, side: str, name: str) -> str:
    figures = played.figures[side]
    if side == "then" and name in OURS_ALONE:
        return '<span>없음</span> <span lang="en">none</span>'
    if name == "days_until_noticed" and not figures["noticed"]:
        return '끝까지 몰랐음 <span lang="en">never</span>'
    return f"{figures[name]:,}"


def _sources(played: Played) -> str:
    rows = [
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(_plain(value))}</td><td>{escape(source)}</td></tr>'
        for name, (value, source) in played.scenario.sources.items()
    ]
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("input", "value", "source"))
    table = f'<table lang="en">\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{"\n".join(rows)}\n</tbody>\n</table>'
    words = "기사는 한 고객의 이야기예요. 금액, 날짜, 비율은 지어낸 것이고 그렇게 적었어요."
    body = f"<p>{words}</p>\n<details><summary>모두 보기 {_english('Show all')}</summary>\n{table}\n</details>"
    return _section("무엇이 기사이고 무엇이 지어낸 것인지", "What is the article's, what is invented", body)


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {each}" for key, each in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(str, value))
    return str(value)
