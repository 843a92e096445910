#!/usr/bin/env python
"""Django's command line for this project."""

import io
import os
import sys


def main() -> None:
    # Chinese output must not crash a command on an ASCII-only terminal or log.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classifier_project.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import Error as DatabaseFault

    from core.database.errors import explain

    try:
        execute_from_command_line(sys.argv)
    # Operators can fix these; a traceback would not help them.
    except ImproperlyConfigured as error:
        sys.exit(f"Error: {error}")
    except DatabaseFault as error:
        if not (explanation := explain(error)):
            raise
        sys.exit(f"Error: {explanation}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
