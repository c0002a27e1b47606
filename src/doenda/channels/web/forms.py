"""The signed field that a form carries: which step of which visit, at which version, it answers (design rule 12)."""

from dataclasses import dataclass

from django.core.signing import BadSignature, Signer


@dataclass(frozen=True, slots=True)
class Answers:
    """What the form says it answers."""

    step: str
    version: int


def _signer(subject: str) -> Signer:
    return Signer(salt=f"doenda.form.{subject}")


def sign(subject: str, step: str, version: int) -> str:
    """`subject` is the visit's address or the link's token: the field is of no use anywhere else."""
    return _signer(subject).sign(f"{step}/{version}")


def read(subject: str, field: str) -> Answers | None:
    """What the field says, or None where it is missing, forged, or another visit's."""
    try:
        step, _, version = _signer(subject).unsign(field[:300]).partition("/")
        return Answers(step, int(version))
    except (BadSignature, ValueError):
        return None
