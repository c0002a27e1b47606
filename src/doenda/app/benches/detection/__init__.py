"""How soon a broken way is noticed, and how often a healthy one is taken for broken: our rule beside others', on the
same made-up traffic in virtual time.
"""
