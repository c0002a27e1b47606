from pathlib import Path

from doenda.app.provider_page import page


def test_the_page_about_providers_says_what_the_contract_says() -> None:
    """`doenda provider_page > docs/providers.md` after a change of the contract."""
    assert (Path(__file__).parents[2] / "docs" / "providers.md").read_text(encoding="utf-8") == page()
