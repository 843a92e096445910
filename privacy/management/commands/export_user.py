"""Export everything that is stored about a user."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from privacy.export import export
from privacy.management import arguments


class Command(BaseCommand):
    help = (
        "Export everything that is stored about a user as JSON, to a file that only you can read."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        arguments.add_person(parser)
        parser.add_argument("--output", required=True, help="a new file, or - for standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        pieces = export(arguments.person_of(options))
        if options["output"] == "-":
            for piece in pieces:
                self.stdout.write(piece, ending="")
            return
        path = Path(options["output"])
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from None
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.writelines(pieces)
        self.stderr.write(f"Written to {path}.")
