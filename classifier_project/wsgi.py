"""The WSGI application, as a server loads it."""

import gc
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classifier_project.settings")
# Tells settings that requests wait for the database here, and must not wait long.
os.environ["SERVING"] = "1"

from django.conf import settings
from django.core.wsgi import get_wsgi_application

django = get_wsgi_application()

# Models can be imported only after Django is set up.
from classification import configured  # noqa: E402
from classification.fast_lane import with_fast_lane  # noqa: E402
from classification.processes import reporter  # noqa: E402
from classification.recorder import recorder  # noqa: E402
from classifier_project import workers  # noqa: E402
from classifier_project.bodies import with_whole_bodies  # noqa: E402

# A hit takes a tenth of a millisecond of Python, and must not wait five for each of the uploads
# that are being read at the same moment.
sys.setswitchinterval(0.001)
if settings.METRICS_TOKEN:
    import operations.metrics  # noqa: F401
# Proxies keep connections; without one a stopped server may end at once.
if settings.TRUSTED_PROXIES:
    workers.drain_on_sigterm()
application = workers.with_manners(with_fast_lane(with_whole_bodies(django)))
recorder.start()
reporter.start()
# A new worker is asked at once: what its first photo needs is loaded before that.
configured.provider()
# What is loaded by now stays. A collection that looks through all of it takes 50 ms, in which
# every request waits.
gc.collect()
gc.freeze()
