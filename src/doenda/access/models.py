"""Staff, tokens and codes (stored so that a reader of the table cannot use them), tries, audit."""

import uuid
from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models

from doenda.kernel import clock
from doenda.kernel.ids import new_id
from doenda.kernel.models import Row


class Role(models.TextChoices):
    AGENT = "agent"
    CLERK = "clerk"
    COLLECTIONS = "collections"
    OPERATOR = "operator"
    AUDITOR = "auditor"


class User(AbstractUser):
    """A member of staff. Customers have no user: they hold a link or a code."""

    id: "models.UUIDField[uuid.UUID, uuid.UUID]" = models.UUIDField(primary_key=True, default=new_id, editable=False)
    role = models.CharField(max_length=12, choices=Role, default=Role.AGENT)


class LinkToken(Row):
    """One link to one subject (a bill, a receipt). The token's text is an HMAC of `id`: it is never stored."""

    purpose = models.CharField(max_length=20)
    subject_id = models.UUIDField()
    account_id = models.UUIDField()
    key_id = models.CharField(max_length=8)
    digest = models.BinaryField(max_length=32, unique=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["purpose", "subject_id", "key_id"],
                name="link_one_live",
                condition=models.Q(revoked_at=None),
            )
        ]


class ShortCode(Row):
    """Six digits that open one subject together with the phone number they were sent to."""

    subject_id = models.UUIDField()
    account_id = models.UUIDField()
    phone = models.CharField(max_length=20)
    key_id = models.CharField(max_length=8)
    salt = models.BinaryField(max_length=16)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["subject_id", "phone"], name="code_one_live", condition=models.Q(revoked_at=None)
            )
        ]
        indexes: ClassVar = [models.Index(fields=["phone"], name="code_phone", condition=models.Q(revoked_at=None))]


class Tries(models.Model):
    """How often `who` (a number, a network address) was wrong in the window that began at `since`."""

    who = models.CharField(max_length=80, primary_key=True)
    since = models.DateTimeField(default=clock.now)
    count = models.IntegerField(default=0)


class AuditEntry(Row):
    """Who looked at or changed what. Only ever added to."""

    actor = models.CharField(max_length=80)
    action = models.CharField(max_length=60)
    subject_id = models.UUIDField(null=True)
    account_id = models.UUIDField(null=True)
    detail = models.JSONField(default=dict)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["account_id", "created_at"], name="audit_account")]
