"""The decoder, which runs in a process of its own: a file in, a reduced JPEG out.

Decoding libraries cannot be interrupted, but a process can be killed. It has no secrets,
connections or threads of the service, and does not import Django.
"""
