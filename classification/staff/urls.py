"""The staff's pages. Their addresses are older than their names."""

from django.urls import path

from classification.staff import playground, prompts, settings

urlpatterns = [
    path("test/", playground.page, name="playground"),
    path("test/answer/", playground.answer, name="playground-answer"),
    path("test/correct/", playground.correct, name="playground-correct"),
    path("test/again/", playground.ask_again, name="playground-again"),
    path("test/keep/", playground.keep, name="playground-keep"),
    path("prompt/", prompts.page, name="prompt"),
    path("prompt/<int:version>/", prompts.older_version, name="prompt-version"),
    path("prompt/draft/", prompts.review_draft, name="prompt-draft"),
    path("prompt/draft/discard/", prompts.discard_draft, name="prompt-discard"),
    path("prompt/trial/", prompts.try_draft, name="prompt-trial"),
    path("prompt/publish/", prompts.publish_draft, name="prompt-publish"),
    path("settings/", settings.page, name="settings"),
]
