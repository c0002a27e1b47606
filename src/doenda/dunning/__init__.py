"""Cases of debt being collected: the policy's ladder, the clock and what holds it, late fee, barring, restoring.

Decisions are pure (`decide`), pull their facts under the account's lock (`gather`) and are stored with them.
May touch: billing, assurance, notices, payments and the ground; whoever stops the clock calls `holds` or `promises`.
"""
