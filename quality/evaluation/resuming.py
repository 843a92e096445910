"""Resumes interrupted runs, accounting for calls in progress when they ended."""

from collections.abc import Sequence
from decimal import Decimal

from classification.billing.reservations import KILLED
from classification.choices import Billed
from classification.models import ModelCall, Reservation
from quality.evaluation.labelled_set import LabelledPhoto, LabelledSet
from quality.evaluation.subject import Subject
from quality.models import EvaluatedPhoto, EvaluationRun


def open_run(labelled: LabelledSet, subject: Subject) -> EvaluationRun:
    """The unfinished run with the same parameters, or a new one. The caller must hold the lock of
    these parameters."""
    key = subject.key(labelled.hash)
    unfinished = EvaluationRun.objects.filter(key=key, finished_at=None).order_by("pk").last()
    return unfinished or EvaluationRun.objects.create(
        key=key,
        set_name=labelled.name,
        set_hash=labelled.hash,
        photo_count=len(labelled.photos),
        provider=subject.provider_name,
        model=subject.model,
        prompt_version=subject.prompt_version,
        prompt_hash=subject.prompt_hash,
        prompt_text=subject.prompt,
        max_side=subject.max_side,
    )


def open_photos(run: EvaluationRun, photos: Sequence[LabelledPhoto]) -> list[LabelledPhoto]:
    """The photos without a result.

    If a call was in progress when the run was killed, it is possibly billed: the photo is not asked
    about again, and gets the outcome KILLED. The caller must hold the lock of its parameters.
    """
    done = set(run.results.values_list("image_hash", flat=True))
    rest = [photo for photo in photos if photo.image_hash not in done]
    costs = _lost_calls(run)
    lost = [photo for photo in rest if run.request_id(photo.image_hash) in costs]
    EvaluatedPhoto.objects.bulk_create(
        EvaluatedPhoto(
            run=run,
            image_hash=photo.image_hash,
            file=photo.name,
            expected=photo.category,
            outcome=KILLED,
            cost=costs[run.request_id(photo.image_hash)],
        )
        for photo in lost
    )
    return [photo for photo in rest if photo not in lost]


def _lost_calls(run: EvaluationRun) -> dict[str, Decimal]:
    """Request id -> known cost of the run's calls that are, or may be, billed."""
    calls = list(ModelCall.objects.filter(request_id__startswith=run.request_prefix))
    in_ledger = {call.call_id for call in calls}
    begun = Reservation.objects.filter(request_id__startswith=run.request_prefix)
    found = {
        reservation.request_id: Decimal(0)
        for reservation in begun
        if reservation.token not in in_ledger
    }
    for call in calls:
        if call.billed != Billed.NO:
            found[call.request_id] = found.get(call.request_id, Decimal(0)) + call.cost
    return found
