"""Plots as inline SVG, each a figure with a title, a description, and its numbers as a table. Pure.

What tells the sides apart is shape and words as well as colour: ours is solid, then is hollow or dashed.
"""

from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 640, 300
LEFT, RIGHT, TOP, BOTTOM = 76, 12, 34, 34
WORDS = {"ours": "된다 ours", "then": "그때 then"}
TICKS = 4

type Series = Mapping[str, Sequence[int]]


def lines(name: str, title: str, series: Series) -> str:
    """One line a side, over the days from 1 on."""
    top = _top(series)
    days = len(next(iter(series.values())))
    body = []
    for side, values in series.items():
        points = [(_x(at, days - 1), _y(value, top)) for at, value in enumerate(values)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        body.append(f'<polyline class="{side}" points="{path}"/>')
        x, y = points[-1]
        body.append(f'<circle class="{side}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>')
    labels = [str(day + 1) for day in range(days)]
    marks = [_mark(_x(at, days - 1), label) for at, label in enumerate(labels)]
    return _figure(name, title, [*_grid(top), *marks, *body], labels, series)


def bars(name: str, title: str, labels: Sequence[str], series: Series) -> str:
    """A pair of bars a label."""
    top = _top(series)
    room = (WIDTH - LEFT - RIGHT) / len(labels)
    wide = room * 0.8 / len(series)
    body = []
    for place, (side, values) in enumerate(series.items()):
        for at, value in enumerate(values):
            x, y = LEFT + room * (at + 0.1) + place * wide, _y(value, top)
            body.append(
                f'<rect class="{side}" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{_y(0, top) - y:.1f}"/>'
            )
    marks = [_mark(LEFT + room * (at + 0.5), label) for at, label in enumerate(labels)]
    return _figure(name, title, [*_grid(top), *body, *marks], labels, series)


def _figure(name: str, title: str, body: Sequence[str], labels: Sequence[str], series: Series) -> str:
    ends = "; ".join(f"{WORDS[side]}: {', '.join(f'{value:,}' for value in values)}" for side, values in series.items())
    legend = "".join(
        f'<rect class="{side}" x="{LEFT + at * 150}" y="8" width="16" height="12"/>'
        f'<text x="{LEFT + at * 150 + 22}" y="19">{escape(WORDS[side])}</text>'
        for at, side in enumerate(series)
    )
    return (
        f'<figure>\n<figcaption>{escape(title)}</figcaption>\n<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-labelledby="{name}-title {name}-desc">\n<title id="{name}-title">{escape(title)}</title>\n'
        f'<desc id="{name}-desc">{escape(ends)}</desc>\n{legend}\n'
        + "\n".join(body)
        + f"\n</svg>\n{_table(title, labels, series)}\n</figure>"
    )


def _table(title: str, labels: Sequence[str], series: Series) -> str:
    heads = "".join(f'<th scope="col">{escape(WORDS[side])}</th>' for side in series)
    rows = "".join(
        f'<tr><th scope="row">{escape(label)}</th>'
        + "".join(f"<td>{values[at]:,}</td>" for values in series.values())
        + "</tr>"
        for at, label in enumerate(labels)
    )
    return (
        f'<details><summary>숫자로 보기 <span lang="en">As numbers</span></summary>\n<table><caption>{escape(title)}'
        f'</caption>\n<thead><tr><th scope="col"></th>{heads}</tr></thead>\n<tbody>{rows}</tbody></table>\n</details>'
    )


_ROUND = (10, 12, 16, 20, 24, 32, 40, 60, 80, 100)


def _top(series: Series) -> int:
    """A round number, and not below any value."""
    most = max((value for values in series.values() for value in values), default=0)
    if most <= TICKS:
        return TICKS
    unit: int = 10 ** (len(str(most)) - 1)
    return next(unit * each // 10 for each in _ROUND if unit * each // 10 >= most)


def _grid(top: int) -> list[str]:
    found = []
    for tick in range(TICKS + 1):
        value = top * tick // TICKS
        y = _y(value, top)
        found.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        found.append(f'<text class="value" x="{LEFT - 8}" y="{y + 4:.1f}">{_short(value)}</text>')
    return found


def _short(value: int) -> str:
    """1,200,000 as 1.2M: there is little room on a phone."""
    for size, word in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if value >= 10 * size or value >= size > 10**3:
            return f"{value / size:g}{word}"
    return f"{value:,}"


def _mark(x: float, label: str) -> str:
    return f'<text class="mark" x="{x:.1f}" y="{HEIGHT - 12}">{escape(label)}</text>'


def _x(at: int, last: int) -> float:
    return LEFT + 8 + (WIDTH - LEFT - RIGHT - 16) * at / max(1, last)


def _y(value: float, top: int) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top
