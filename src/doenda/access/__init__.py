"""Staff users and roles, link tokens and short codes, the audit trail, and every view's policy: who may see what.

May touch: kernel. Knows accounts and bills only as ids.
"""
