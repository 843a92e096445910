"""URLs of the account menu."""

from django.urls import path

from accounts import views

urlpatterns = [
    path("account/tokens/", views.tokens, name="tokens"),
    path("account/tokens/<int:pk>/revoke/", views.revoke_token, name="token-revoke"),
    path("account/tokens/older/revoke/", views.revoke_older_token, name="token-revoke-older"),
    path("account/theme/", views.set_theme, name="theme"),
]
