"""What this installation's SMS centre is and wants: `DOENDA_SMPP_*` (app/text_messages.py, docs/text-messages.md)."""

from dataclasses import dataclass, field

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from doenda.notices.gateways.smpp.told import FORMS


@dataclass(frozen=True, slots=True)
class Config:
    """`rate` in segments a second and `window` in unanswered segments are of one bind. Times in seconds.

    `answers` and `receipts`: how the centre writes message ids (told.canonical). `doubt`: how long one whose answer did
    not come is left alone, `repeats`: how often it is then sent again. `validity`: have the centre drop what it could
    not deliver by the time at which we call it undelivered.
    """

    host: str
    port: int = 2775
    system_id: str = ""
    password: str = field(default="", repr=False)
    system_type: str = ""
    tls: bool = False
    source: str = ""
    source_ton: int = 0
    source_npi: int = 1
    national: bool = False
    gsm7: bool = True
    payload: bool = False
    segments: int = 10
    rate: float = 10.0
    window: int = 10
    enquire: float = 30.0
    answer: float = 10.0
    doubt: float = 600.0
    repeats: int = 1
    validity: bool = True
    answers: str = "text"
    receipts: str = "text"

    def __post_init__(self) -> None:
        for name in ("answers", "receipts"):
            if getattr(self, name) not in FORMS:
                raise ValueError(f"SMPP {name}: one of {', '.join(FORMS)}, not {getattr(self, name)!r}")
        if not self.host or not self.system_id:
            raise ValueError("DOENDA_SMPP_HOST and DOENDA_SMPP_SYSTEM_ID are needed")
        if len(self.system_id) > 15 or len(self.password) > 8 or len(self.system_type) > 12:
            raise ValueError("SMPP 3.4 allows 15 characters of system_id, 8 of password, 12 of system_type")
        if not (1 <= self.segments <= 255 and self.rate > 0 and self.window >= 1):
            raise ValueError("SMPP segments, rate and window must be above zero, segments at most 255")
        if not 0 < self.answer <= 10:
            raise ValueError("SMPP answer: at most 10 s, a text is leased for 30")
        if self.segments > 5 * self.rate:
            raise ValueError(f"at {self.rate:g} segments a second a text may have at most {5 * self.rate:g}")


def configured() -> Config:
    """From the settings. Raises ImproperlyConfigured naming what is wrong or missing."""
    try:
        return Config(**{"host": "", **settings.DOENDA_SMPP})
    except ValueError as error:
        raise ImproperlyConfigured(str(error)) from None
