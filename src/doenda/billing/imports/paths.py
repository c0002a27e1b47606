"""Reading a JSON object by path: what is there, and everything wrong with it. Pure but for the carrier's zone."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from doenda.billing.imports import lines
from doenda.billing.imports.lines import Wrong
from doenda.kernel import clock, money


@dataclass
class Reader:
    """Walks one object and collects what is wrong, by JSON path below `root`."""

    root: str
    problems: list[tuple[str, object, str]] = field(default_factory=list)

    def wrong(self, path: str, value: object, reason: str) -> None:
        self.problems.append((f"{self.root}.{path}" if path else self.root, value, reason))

    def text(self, path: str, value: object, column: str, *, required: bool = False) -> str:
        if value is None or value == "":
            if required:
                self.wrong(path, "", "is missing")
            return ""
        if not isinstance(value, str):
            self.wrong(path, value, "is not a text")
            return ""
        try:
            return lines.text(value.strip(), column)
        except Wrong as error:
            self.wrong(path, value, str(error))
            return ""

    def day(self, path: str, value: object) -> date | None:
        """The carrier's date of an instant or a day."""
        if value is None or value == "":
            return None
        try:
            if not isinstance(value, str):
                raise Wrong("is not a text")
            if len(value) == 10:
                return lines.day(value)
            moment = datetime.fromisoformat(value)
            return lines.day((clock.local(moment) if moment.tzinfo else moment).date().isoformat())
        except (Wrong, ValueError, OverflowError) as error:
            self.wrong(path, value, str(error) if isinstance(error, Wrong) else "is not a date (ISO 8601)")
            return None

    def money(self, path: str, value: object) -> money.Money | None:
        """{unit, value} as money; None if it is not there."""
        if value is None or value == {}:
            return None
        if not isinstance(value, dict):
            self.wrong(path, value, "is not {unit, value}")
            return None
        number, unit = value.get("value"), value.get("unit")
        if isinstance(number, bool) or not isinstance(number, int | Decimal):
            self.wrong(f"{path}.value", number, "is not a number")
            return None
        try:
            return money.Money.of_decimal(Decimal(number), unit if isinstance(unit, str) else "")
        except ValueError as error:
            currency = "currency" in str(error)
            self.wrong(f"{path}.{'unit' if currency else 'value'}", unit if currency else number, str(error))
            return None
