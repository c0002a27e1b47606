"""Rows of the line: tickets and who holds them, agents and what they serve, what was told, whom we called back."""

from doenda.contact.models.agents import Agent, Assignment
from doenda.contact.models.dials import Dial, DialDay, ProvenNumber
from doenda.contact.models.estimates import Estimate
from doenda.contact.models.tickets import Holding, Ticket

__all__ = ["Agent", "Assignment", "Dial", "DialDay", "Estimate", "Holding", "ProvenNumber", "Ticket"]
