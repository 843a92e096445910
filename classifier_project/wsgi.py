"""The WSGI application, as a server loads it."""

import gc
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classifier_project.settings")
# The settings read it: requests must not wait long for the database.
os.environ["SERVING"] = "1"

from django.conf import settings
from django.core.wsgi import get_wsgi_application

django_application = get_wsgi_application()

# Models can be imported only after Django is set up.
from classification.api.fast_path import with_lookup_fast_path, with_upload_fast_path  # noqa: E402
from classification.api.request_bodies.buffering import buffer_request_bodies  # noqa: E402
from classification.images import decoder_pool  # noqa: E402
from classification.monitoring.processes import reporter  # noqa: E402
from classification.pipeline.write_behind import buffer  # noqa: E402
from classification.providers import registry  # noqa: E402
from core import allocator  # noqa: E402
from operations.server import workers  # noqa: E402

# A cache hit takes 0.1 ms of Python; at the default interval of 5 ms it would wait that long for
# each upload being parsed at the same time.
sys.setswitchinterval(0.001)
allocator.return_large_blocks()
if settings.METRICS_TOKEN:
    import operations.metrics  # noqa: F401
# A proxy keeps connections open, and they must be drained; without one, a stopping server may exit
# at once.
workers.stop_with_the_server(drain=bool(settings.TRUSTED_PROXIES))
application = workers.with_connection_headers(
    with_lookup_fast_path(buffer_request_bodies(with_upload_fast_path(django_application)))
)
buffer.start()
reporter.start()
# A new worker receives requests at once, so whatever the first photo needs is loaded beforehand.
registry.providers()
decoder_pool.start()
# Objects loaded by now live as long as the process. A collection that scans them all takes 50 ms,
# during which every request waits.
gc.collect()
gc.freeze()
