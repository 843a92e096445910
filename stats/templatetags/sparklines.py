"""Sparklines, rendered as SVG without a script."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import template

register = template.Library()

WIDTH, HEIGHT = 100, 24


@register.inclusion_tag("dashboard/sparkline.html")
def sparkline(points: Iterable[Mapping[str, Any]], name: str) -> dict[str, Any]:
    """A sparkline of one figure, WIDTH by HEIGHT, starting at zero."""
    values = [float(point[name]) for point in points]
    highest = max(values, default=0) or 1
    step = WIDTH / max(len(values) - 1, 1)
    line = " ".join(
        f"{number * step:.1f},{HEIGHT - 1 - (HEIGHT - 2) * value / highest:.1f}"
        for number, value in enumerate(values)
    )
    return {"line": line, "area": f"0,{HEIGHT} {line} {WIDTH},{HEIGHT}", "name": name}
