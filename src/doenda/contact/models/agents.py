"""Agents, and which ticket each of them has: one ticket one agent, by the database."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from doenda.access.models import User
from doenda.contact.models.tickets import Ticket
from doenda.kernel import clock
from doenda.kernel.models import Row


class Agent(Row):
    """A person who answers. `seen_until`: the lease of the agent's own desk; `pause_after`: pause once wrapped up."""

    class State(models.TextChoices):
        OUT = "out"
        READY = "ready"
        PAUSED = "paused"
        OFFERED = "offered"
        TALKING = "talking"
        WRAP_UP = "wrap_up"

    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="agent")
    skills = ArrayField(models.CharField(max_length=40), default=list)
    langs = ArrayField(models.CharField(max_length=2), default=list)
    state = models.CharField(max_length=8, choices=State, default=State.OUT)
    since = models.DateTimeField(default=clock.now)
    seen_until = models.DateTimeField(null=True)
    shift_until = models.DateTimeField(null=True)
    pause_after = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=40, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["state", "since", "id"], name="agent_at_work", condition=~Q(state="out")),
        ]


class Assignment(Row):
    """A ticket with an agent: offered until `lease_until`, taken, talked until `talked_until`, wrapped up, ended.

    `call_id`: of the call that was taken; `known`: it is the customer, shown by them or made sure of by the agent.
    `end`: served, silent (the agent did not answer), declined, left (the customer went first), back (to the line).
    """

    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="assignments", db_index=False)
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="assignments", db_index=False)
    lease_until = models.DateTimeField()
    taken_at = models.DateTimeField(null=True)
    known = models.BooleanField(default=False)
    call_id = models.CharField(max_length=120, blank=True)
    talked_until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    end = models.CharField(max_length=8, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["ticket"], name="assignment_one_agent", condition=Q(ended_at=None)),
            models.UniqueConstraint(fields=["agent"], name="assignment_one_ticket", condition=Q(ended_at=None)),
            models.CheckConstraint(name="assignment_end", condition=Q(end="") ^ Q(ended_at__isnull=False)),
        ]
        indexes: ClassVar = [
            models.Index(fields=["lease_until"], name="assignment_open", condition=Q(ended_at=None)),
            models.Index(fields=["ended_at"], name="assignment_served", condition=Q(end="served")),
            models.Index(fields=["ticket", "created_at"], name="assignment_ticket"),
        ]
