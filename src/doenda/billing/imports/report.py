"""What is wrong with a file, place by place (design rule 21). Pure."""

from dataclasses import dataclass, field
from typing import Any

SHOWN = 1000
VALUE_LENGTH = 60


class Refused(Exception):
    """The file is refused whole; nothing of it was kept. `report` says why."""

    def __init__(self, report: "Report") -> None:
        super().__init__(report.summary())
        self.report = report


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One reason to refuse: `row` is the line in the file (JSON: the bill's place from 0), `column` or a JSON path."""

    row: int
    column: str
    value: str
    reason: str

    def as_data(self) -> dict[str, Any]:
        return {"row": self.row, "column": self.column, "value": self.value, "reason": self.reason}

    def __str__(self) -> str:
        shown = f" {self.value!r}" if self.value else ""
        return f"row {self.row}, {self.column}{shown}: {self.reason}"


def shortened(value: object) -> str:
    """A value fit for a report: short, on one line."""
    text = " ".join(str(value).split())
    text = "".join(letter if letter.isprintable() else "�" for letter in text[: VALUE_LENGTH + 1])
    return text if len(text) <= VALUE_LENGTH else text[:VALUE_LENGTH] + "…"


@dataclass
class Report:
    """Counts of what a file did, and its problems: at most `SHOWN` are kept, all are counted."""

    counts: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    problems_total: int = 0

    def problem(self, row: int, column: str, value: object, reason: str) -> None:
        self.problems_total += 1
        if len(self.problems) < SHOWN:
            self.problems.append(Problem(row, column, shortened(value), reason))

    def note(self, text: str) -> None:
        if len(self.notes) < SHOWN:
            self.notes.append(text)

    def count(self, name: str, more: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + more

    def refuse_if_bad(self) -> None:
        """Raises Refused if anything is wrong so far."""
        if self.problems_total:
            raise Refused(self)

    def summary(self) -> str:
        first = f"; the first: {self.problems[0]}" if self.problems else ""
        return f"{self.problems_total} problem(s){first}"

    def as_data(self) -> dict[str, Any]:
        return {
            "counts": dict(self.counts),
            "notes": list(self.notes),
            "problems_total": self.problems_total,
            "problems": [each.as_data() for each in sorted(self.problems)],
        }
