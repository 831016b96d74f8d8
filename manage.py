#!/usr/bin/env python3
"""Django's command line, and `up`, which starts everything and is no Django process itself.

Imports lie inside the functions: an unfit Python must get one line, not the first syntax error that it meets.
"""
# ruff: noqa: PLC0415

import os
import sys


def main() -> int:
    """Run the command on the command line; return the exit code."""
    if not (3, 11) <= sys.version_info[:2] < (3, 13):
        version = ".".join(str(part) for part in sys.version_info[:3])
        sys.stderr.write("supporthub: needs Python 3.11 or 3.12, this is %s (%s)\n" % (version, sys.executable))  # noqa: UP031
        return 2
    if sys.argv[1:] == ["up"]:
        from supporthub.runtime.up import main as up

        return up()
    return _django()


def _django() -> int:
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from supporthub.runtime.environment import fill_from_env_file
    from supporthub.runtime.errors import StartError

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "supporthub.settings.local")
    try:
        fill_from_env_file(os.environ)
        execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, StartError) as error:
        sys.stderr.write(f"supporthub: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
