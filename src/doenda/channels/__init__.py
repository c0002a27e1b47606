"""The ways in which a journey meets a person: each presents a step, reads an answer, and has a walker from outside.

May touch: journeys and what lies below. Knows no other channel's insides.
"""
