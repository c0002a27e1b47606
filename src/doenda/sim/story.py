"""A violation as people read it: who did what, what the bank did, what died, and what is wrong at the end."""

from doenda.sim.run import Played
from doenda.sim.shrink import Shrunk


def tell(played: Played) -> str:
    """The story of one play."""
    wrong = [f"  {each.invariant}: {each.words}" for each in played.violations]
    head = f"seed {played.seed} ({', '.join(played.providers)})"
    if not wrong:
        return "\n".join([f"{head}: nothing is wrong", *_lines(played)])
    return "\n".join([f"{head}:", *_lines(played), "what is wrong at the end:", *wrong])


def tell_shrunk(shrunk: Shrunk, steps: int) -> str:
    """The story of the smallest schedule that shows it."""
    kept = f"{len(shrunk.only)} of {steps} steps show it (shrunk in {shrunk.plays} plays)"
    return f"{tell(shrunk.played)}\n{kept}; rates {shrunk.schedule.rates}"


def _lines(played: Played) -> list[str]:
    return [f"  {line}" for line in played.story]
