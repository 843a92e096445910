"""The tables of feedback and of evaluation runs."""

from quality.models.feedback import DayAgreement, Review, Vote, Voter
from quality.models.runs import AcceptedModel, EvaluatedPhoto, EvaluationRun, prompt_hash

__all__ = [
    "AcceptedModel",
    "DayAgreement",
    "EvaluatedPhoto",
    "EvaluationRun",
    "Review",
    "Vote",
    "Voter",
    "prompt_hash",
]
