"""What counts as a key on a call."""

import asyncio
from typing import Any, cast

import pytest

from doenda.channels.voice.ari import Channel, Digit
from doenda.channels.voice.ari_line import AriLine


@pytest.mark.parametrize("tone", "ABCD")
def test_tones_that_no_telephone_has_as_keys_are_no_answer(tone: str) -> None:
    """They came up as an error of ours, after which the call was ended."""
    channel = Channel("c")

    async def heard() -> str | None:
        line = AriLine(cast(Any, None), cast(Any, None), channel)
        line.tell(Digit(channel, tone))
        line.tell(Digit(channel, "1"))
        return await line.key(1.0)

    assert asyncio.run(heard()) == "1"
