"""The addresses of deploy/compose.yaml."""

import ipaddress
from pathlib import Path

import yaml
from django.conf import settings


def test_only_nginx_is_believed_about_who_asks() -> None:
    compose = yaml.safe_load((Path(settings.BASE_DIR) / "deploy" / "compose.yaml").read_text())
    app, nginx = compose["services"]["app"], compose["services"]["nginx"]
    fixed = [service["networks"]["default"]["ipv4_address"] for service in (nginx, app)]
    [network] = compose["networks"]["default"]["ipam"]["config"]
    given = ipaddress.ip_network(network["ip_range"])

    assert app["environment"]["TRUSTED_PROXIES"] == fixed[0]
    # Docker's own proxy asks from the gateway's address for clients that may be anybody.
    assert len({*fixed, network["gateway"]}) == 3
    assert not [address for address in fixed if ipaddress.ip_address(address) in given]
