"""Every reason that a decision can give has its words in both languages."""

import re
from pathlib import Path

import pytest

from doenda.dunning import decide
from doenda.dunning.words import HoldKind
from doenda.kernel import texts

SOURCE = Path(str(decide.__file__)).read_text(encoding="utf-8")
GIVEN = r'(?:return|yield|Restore\(|StandDown\(|Close\(|,) ?"([a-z]+_[a-z_]+|pending)"'
CODES = set(re.findall(GIVEN, SOURCE))


@pytest.mark.parametrize("lang", texts.LANGUAGES)
def test_every_reason_has_its_words(lang: str) -> None:
    assert {"no_way_proven", "notice_days", "outside_hours", "pending", "nobody_can_pay"} <= CODES
    told_otherwise = {"noticed_bills_paid"}  # a stand-down says it in a sentence of its own
    wanted = (CODES - told_otherwise) | {kind.value for kind in HoldKind} | {"not_yet", "person_decides", "paid"}
    assert [code for code in sorted(wanted) if not texts.has(f"why-reason-{code}", lang)] == []


def test_both_languages_say_the_same_things() -> None:
    ours = [{one for one in texts.ids(lang) if one.startswith("why-")} for lang in texts.LANGUAGES]
    assert ours[0] == ours[1]
