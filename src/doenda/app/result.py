"""What a drill found: named figures (a contract: add, do not rename) and every expectation that did not hold."""

from dataclasses import dataclass, field


@dataclass
class Result:
    figures: dict[str, float | int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.failures

    def expect(self, true: bool, what: str) -> None:
        """Note `what` as a failure unless it is true."""
        if not true:
            self.failures.append(what)

    def as_json(self) -> dict[str, object]:
        return {"ok": self.ok, "figures": self.figures, "failures": self.failures, "notes": self.notes}
