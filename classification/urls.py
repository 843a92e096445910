from django.urls import path

from classification import views

urlpatterns = [
    path("test/", views.test, name="test"),
    path("test/answer/", views.answer, name="test-answer"),
    path("test/again/", views.ask_again, name="test-again"),
    path("test/keep/", views.keep, name="test-keep"),
    path("prompt/", views.prompt, name="prompt"),
    path("prompt/<int:version>/", views.prompt_version, name="prompt-version"),
    path("prompt/draft/", views.prompt_draft, name="prompt-draft"),
    path("prompt/draft/discard/", views.prompt_discard, name="prompt-discard"),
    path("prompt/trial/", views.prompt_trial, name="prompt-trial"),
    path("prompt/publish/", views.prompt_publish, name="prompt-publish"),
    path("settings/", views.settings_page, name="settings"),
]
