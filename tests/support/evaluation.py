"""Run the evaluation command from tests."""

import json
from io import StringIO
from typing import Any

from django.core.management import call_command

from tests.support.labelled_photos import LabelledPhotos


def evaluate(photos: LabelledPhotos, *arguments: str) -> Any:
    """The figures of a run over the photos."""
    out = StringIO()
    call_command(
        "evaluate", str(photos.folder), "--json", *arguments, stdout=out, stderr=StringIO()
    )
    return json.loads(out.getvalue())
