"""The WSGI application, as a server loads it."""

import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classifier_project.settings")
# Tells settings that requests wait for the database here, and must not wait long.
os.environ["SERVING"] = "1"

from django.core.wsgi import get_wsgi_application

django = get_wsgi_application()

# Models can be imported only after Django is set up.
from classification.fast_lane import with_fast_lane  # noqa: E402
from classification.recorder import recorder  # noqa: E402

# A hit takes a tenth of a millisecond of Python, and must not wait five for each of the uploads
# that are being read at the same moment.
sys.setswitchinterval(0.001)
application = with_fast_lane(django)
recorder.start()
