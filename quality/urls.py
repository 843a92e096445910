from django.urls import path

from quality.evaluation import pages as evaluations
from quality.feedback import pages

urlpatterns = [
    path("quality/", evaluations.runs, name="quality-runs"),
    path("quality/accept/", evaluations.accept_model, name="quality-accept"),
    path("quality/runs/<int:number>/", evaluations.run, name="quality-run"),
    path("quality/compare/", evaluations.comparison, name="quality-compare"),
    path("quality/review/", pages.review, name="quality-review"),
    path("quality/review/decide/", pages.decide, name="quality-review-decide"),
    path("quality/agreement/", pages.agreement, name="quality-agreement"),
]
