"""Ways have their names from guidance: no text of any room names one of its own accord.

The names themselves, and what speaks of a way that the customer has chosen or used already, are listed here with the
reason; a text that names a way and is not on the list fails.
"""

import re

import pytest
from fluent.syntax import ast, parse
from fluent.syntax.visitor import Visitor

from doenda.kernel import texts

WORDS = {
    "ko": re.compile("카드|계좌이체|가상계좌|입금|편의점|자동이체|매장|현금|ARS|고객센터|(?<!\\d)114(?!\\d)"),
    "en": re.compile(
        r"\b(cards?|transfers?|virtual accounts?|deposits?|convenience|debit(ed|s)?|stores?|shops?|counter)\b"
        r"|\b(cash|ARS|114)\b",
        re.IGNORECASE,
    ),
}
THE_NAMES = re.compile(r"(way|method)-[a-z]+")
SPEAKS_OF = {
    "pay-bill-instructed": "a debit that is under way",
    "pay-already-field-how": "what the customer says to have paid by",
    "pay-dispute-field-words": "what not to write down",
    "account-where": "a slip that the customer has in hand",
    "pay-mandate": "the debit that the customer has chosen",
    "pay-promised": "the debit that the customer has chosen",
    "refused-card": "the card that was refused",
    "refused-account": "the transfer that was refused",
    "notice-overpaid": "where the money goes back to",
    "notice-debit": "the debit that the customer has chosen",
    "notice-suspension-notice": "whom a barred line can still call",
    "notice-full-suspension-notice": "whom a barred line can still call",
    "notice-open": "only while a way by telephone is proven (tests of notices)",
    "notice-object": "where to object, which the law asks for",
    "frame-help": "the number of the people who help",
    "enter-help": "the number of the people who help",
}


class _Said(Visitor):
    def __init__(self) -> None:
        self.said: list[str] = []

    def visit_TextElement(self, node: ast.TextElement) -> None:
        self.said.append(node.value)


def written(lang: str) -> dict[str, str]:
    """Every message's own words, in all its parts and variants; what is filled in comes from elsewhere."""
    found: dict[str, str] = {}
    for source in texts.sources(lang):
        for entry in parse(source.read_text(encoding="utf-8")).body:
            if isinstance(entry, ast.Message):
                visitor = _Said()
                visitor.visit(entry)
                found[entry.id.name] = " ".join(visitor.said)
    return found


def _excused(message: str) -> bool:
    return bool(THE_NAMES.fullmatch(message)) or any(message.startswith(known) for known in SPEAKS_OF)


@pytest.mark.parametrize("lang", texts.LANGUAGES)
def test_no_text_names_a_way_of_its_own_accord(lang: str) -> None:
    found = {message: said for message, said in written(lang).items() if WORDS[lang].search(said)}
    assert len(found) > 20, "the words are looked for"
    assert {message: said for message, said in found.items() if not _excused(message)} == {}


def test_every_excuse_is_needed() -> None:
    found = {message for lang in texts.LANGUAGES for message, said in written(lang).items() if WORDS[lang].search(said)}
    assert [known for known in SPEAKS_OF if not any(message.startswith(known) for message in found)] == []


@pytest.mark.parametrize(
    ("lang", "said"),
    [("ko", "가까운 매장에서 내세요"), ("en", "Pay by Card."), ("ko", "114로 전화하세요"), ("en", "call 114 or")],
)
def test_a_planted_name_is_found(lang: str, said: str) -> None:
    assert WORDS[lang].search(said)
