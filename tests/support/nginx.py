"""A real nginx running the deployment kit's site, on ports and in folders private to a test."""

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings

from tests.support.ports import free_port

SITE = Path(settings.BASE_DIR) / "deploy" / "nginx" / "photo-classifier.conf"
HOST = "photos.example.com"
MAIN = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/main.log;
worker_processes 2;
events {{ worker_connections 1024; }}
http {{
    underscores_in_headers on;  # for the sake of another site
    include /etc/nginx/mime.types;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


class Nginx:
    """What a test asks of a running nginx; it speaks TLS at `secure_address`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = f"127.0.0.1:{free_port()}"
        self.secure_address = f"127.0.0.1:{free_port()}"
        self.url = f"http://{self.address}"

    def trust(self) -> ssl.SSLContext:
        """What a client needs to be sure that it talks to HOST."""
        return _Trust.of(self.folder / "certificate.pem")

    def post(
        self, path: str, headers: Mapping[str, str] | None = None, **options: Any
    ) -> requests.Response:
        headers = {"Host": HOST} | dict(headers or {})
        return requests.post(f"{self.url}{path}", headers=headers, timeout=60, **options)

    def access_log(self) -> list[dict[str, Any]]:
        """The requests answered so far; the log is written with a delay."""
        time.sleep(1.2)
        lines = (self.folder / "photo-classifier.access.log").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def error_log(self) -> str:
        return (self.folder / "photo-classifier.error.log").read_text()


class _Trust(ssl.SSLContext):
    """A client's context that asks for HOST, whatever the address is."""

    @classmethod
    def of(cls, certificate: Path) -> "_Trust":
        context = cls(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(certificate)
        return context

    def wrap_socket(self, *args: Any, **options: Any) -> ssl.SSLSocket:
        return super().wrap_socket(*args, **options | {"server_hostname": HOST})


@contextmanager
def running_nginx(folder: Path, app_hosts: Sequence[str]) -> Iterator[Nginx]:
    """nginx with the kit's site in front of these addresses."""
    for program in ("nginx", "openssl"):
        if not shutil.which(program):
            pytest.skip(f"needs {program}: apt-get install {program}")
    nginx = Nginx(folder)
    _make_certificate(folder)
    (folder / "site.conf").write_text(_site(nginx, app_hosts))
    # Started by root, its workers would be somebody who cannot read the test's folder.
    user = "" if os.geteuid() else "user root;"
    (folder / "nginx.conf").write_text(user + MAIN.format(folder=folder))
    command = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    subprocess.run([*command, "-t"], check=True, stderr=subprocess.DEVNULL)
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        _wait_until_up(nginx)
        yield nginx
    finally:
        process.terminate()
        process.wait(60)


def _site(nginx: Nginx, app_hosts: Sequence[str]) -> str:
    """The kit's file with other addresses and folders; each must have been there to replace."""
    servers = "".join(f"server {address} max_fails=3 fail_timeout=5s;" for address in app_hosts)
    folder = nginx.folder
    changes = {
        r"server 127\.0\.0\.1:8000 max_fails=3 fail_timeout=5s;": servers,
        r"listen 80\b": f"listen {nginx.address}",
        r"listen 443\b": f"listen {nginx.secure_address}",
        r"/etc/letsencrypt/live/photos\.example\.com/fullchain\.pem": f"{folder}/certificate.pem",
        r"/etc/letsencrypt/live/photos\.example\.com/privkey\.pem": f"{folder}/key.pem",
        r"/var/log/nginx/": f"{folder}/",
        r"/var/www/photo-classifier": f"{folder}/www",
    }
    text = SITE.read_text()
    for pattern, replacement in changes.items():
        text, count = re.subn(pattern, replacement, text)
        assert count, f"The site has no {pattern}."
    return text


def _make_certificate(folder: Path) -> None:
    options = (
        f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={HOST}"
    )
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    subprocess.run(
        ["openssl", *options.split(), "-addext", f"subjectAltName=DNS:{HOST}", *files],
        check=True,
        stderr=subprocess.DEVNULL,
    )


def _wait_until_up(nginx: Nginx) -> None:
    address, _, port = nginx.address.partition(":")
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with suppress(OSError), socket.create_connection((address, int(port)), timeout=1):
            return
        time.sleep(0.05)
    pytest.fail(f"nginx did not start: {(nginx.folder / 'main.log').read_text()}")
