"""What the role that processes run as may do: everything but define tables, and rewrite what is only ever added to."""

from typing import Any

from django.apps import apps
from django.db import connections

APP_ROLE = "doenda_app"


def append_only_tables() -> tuple[str, ...]:
    """Tables in which the application's role may INSERT and SELECT and nothing else, as the rooms declare them."""
    return tuple(table for config in apps.get_app_configs() for table in getattr(config, "append_only", ()))


def grant_after_migrate(sender: Any, using: str, **_: Any) -> None:
    """Grant after each app's migrations; repeated calls give the same grants."""
    connection = connections[using]
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s AND rolname <> current_user", [APP_ROLE])
        if cursor.fetchone() is None:
            return
        cursor.execute(f"GRANT USAGE ON SCHEMA public TO {APP_ROLE}")
        cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {APP_ROLE}")
        cursor.execute(f"GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO {APP_ROLE}")
        cursor.execute(f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {APP_ROLE}")
        existing = set(connection.introspection.table_names(cursor))
        for table in append_only_tables():
            if table in existing:
                cursor.execute(f'REVOKE UPDATE, DELETE, TRUNCATE ON "{table}" FROM {APP_ROLE}')
