"""Recreate the staff roles that migrations create, because tests that commit empty every table."""

from importlib import import_module

from django.contrib.auth.models import Group, User
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


def make_roles() -> None:
    state = MigrationExecutor(connection).loader.project_state().apps
    import_module("operations.migrations.0003_roles").make_roles(state, None)
    import_module("privacy.migrations.0002_operators").permit(state, None)


def give_role(user: User, *roles: str) -> None:
    """Let a member of the staff have these roles, and no right beside them."""
    make_roles()
    user.is_superuser = False
    user.save()
    user.user_permissions.clear()  # of staff who are there already, the migration keeps rights
    user.groups.set(Group.objects.filter(name__in=roles))
