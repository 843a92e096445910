"""Whatever is sent to the documented API, the answer is documented and never a defect."""

from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, given, settings
from rest_framework.authtoken.models import Token
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.history import scatter

# Not the server's own module, which would start the buffer's thread in the tests' process.
application = get_wsgi_application()
schema = schemathesis.openapi.from_wsgi("/api/v1/schema?format=json", application)
documented: Any = schema.get_all_operations()
OPERATIONS = {found.ok().label: found.ok() for found in documented}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = settings(
    max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def staff_token() -> str:
    scatter(1, 20)
    user = User.objects.create_user("staff", is_staff=True)
    return f"Token {Token.objects.create(user=user).key}"


def check(operation: Any, **headers: str) -> None:
    @given(case=operation.as_strategy())
    @EXAMPLES
    def answers(case: Any) -> None:
        case.call_and_validate(checks=CHECKS, headers=headers)

    answers()


# Schemathesis gives the tests of all operations one id, of which xdist runs one.
@pytest.mark.parametrize("operation", OPERATIONS, ids=OPERATIONS)
def test_every_answer_is_documented(operation: str) -> None:
    check(OPERATIONS[operation])


@pytest.mark.parametrize("operation", [name for name in OPERATIONS if "stats" in name])
def test_every_answer_to_staff_is_documented(operation: str, staff_token: str) -> None:
    check(OPERATIONS[operation], Authorization=staff_token)
