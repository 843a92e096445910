from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    # The name that existing installations have in django_migrations.
    label = "logins"

    def ready(self) -> None:
        from accounts import older_tokens, signals  # noqa: F401

        older_tokens.hide_keys()
