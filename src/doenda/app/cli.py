"""The console script `doenda`: Django's management commands, with dashes, on the database that the environment names.

Without DATABASE_URL a PostgreSQL of our own is started (or adopted) in the data folder.
"""

import os
import sys

NEEDS_NO_DATABASE = {
    "makemigrations",
    "check-journeys",
    "check_journeys",
    "help",
    "--help",
    "-h",
    "version",
    "--version",
}
ALIASES = {"import": "import_bills"}  # a module cannot be called `import`
BRINGS_ITS_OWN = {"up", "demo", "walk", "drill", "bench", "simulate", "story", "asterisk"}


def main(argv: list[str] | None = None) -> None:
    args = list(sys.argv[1:] if argv is None else argv) or ["help"]
    command = args[0]
    if "DATABASE_URL" not in os.environ and command not in NEEDS_NO_DATABASE | BRINGS_ITS_OWN:
        from doenda.app.environment import embedded_environment

        os.environ.update(embedded_environment())
    if command in NEEDS_NO_DATABASE:
        os.environ.setdefault("DOENDA_POOL", "0")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "doenda.app.settings")
    from django.core.management import execute_from_command_line

    name = command if command.startswith("-") else ALIASES.get(command, command.replace("-", "_"))
    execute_from_command_line(["doenda", name, *args[1:]])


if __name__ == "__main__":
    main()
