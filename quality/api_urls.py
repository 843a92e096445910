from django.urls import path

from quality.feedback.api import FeedbackView

urlpatterns = [path("classify/feedback", FeedbackView.as_view(), name="feedback")]
