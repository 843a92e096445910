"""The WSGI application, as a server loads it."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classifier_project.settings")
# Tells settings that requests wait for the database here, and must not wait long.
os.environ["SERVING"] = "1"

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

from classification.recorder import recorder  # noqa: E402

recorder.start()
