"""Settings, URLs and the WSGI application that a server loads."""
