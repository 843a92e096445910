"""Take over an older installation's database, or report what that would change."""

from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from operations import adoption, adoption_notes
from operations.adoption import AdoptionReport

READY, TO_LOOK_AT, DOES_NOT_FIT = 0, 1, 2


class Command(BaseCommand):
    help = (
        "Take over the tables of an older installation in this database: adapt them, add new "
        "ones, keep every row. Safe to repeat and to interrupt. Stop the older service first. "
        "With --check nothing is written; the exit status is then 0 if all is well, 1 if some rows "
        "are impossible, 2 if the tables are incompatible."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="only report what would be done")
        parser.add_argument(
            "--drop-impossible",
            action="store_true",
            help="remove impossible cache entries, and correct impossible counts and times",
        )
        parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")

    def handle(self, *args: Any, **options: Any) -> None:
        if connection.vendor != "mysql":
            raise CommandError("Only a MariaDB database can be taken over. Check DATABASE_URL.")
        report = adoption.report()
        self.stdout.write("\n".join([*adoption.lines(report), *adoption_notes.notes()]))
        if report.misfits:
            self._end("This database cannot be taken over as it is.", DOES_NOT_FIT)
        if options["check"]:
            if report.impossible_entries:
                self._end("Some entries are impossible.", TO_LOOK_AT)
            return
        call_command("migrate", verbosity=0)
        adoption.try_writing()
        self.stdout.write("Done: every row was kept, and new rows can be written.")
        if report.impossible_entries:
            self._deal_with_impossible(report, options)

    def _deal_with_impossible(self, report: AdoptionReport, options: dict[str, Any]) -> None:
        count = report.impossible_entries
        if not options["drop_impossible"]:
            self.stdout.write(
                f"{count} entries are impossible; --drop-impossible removes them, or corrects "
                "those that are only miscounted. Until then, entries that are not real "
                "answers are not served."
            )
            return
        if not options["yes"] and not _confirmed(count):
            raise CommandError("Nothing was removed.")
        for name, done in adoption.drop_impossible():
            self.stdout.write(f"{name}: {done}")

    def _end(self, sentence: str, status: int) -> None:
        raise CommandError(sentence, returncode=status)


def _confirmed(count: int) -> bool:
    question = f"Remove or correct {count} entries? [y/N] "
    return input(question).strip().lower() in ("y", "yes")
