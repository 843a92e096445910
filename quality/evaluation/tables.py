"""Formats the figures of a run, and a comparison, for the terminal."""

from typing import Any

from quality.evaluation.comparison import Comparison

Figures = dict[str, Any]


def report_table(figures: Figures) -> str:
    """The figures of a run, without its parameters."""
    lines = [*_summary(figures), "", *_categories(figures), "", *_calibration(figures), ""]
    lines += [
        f"{miss['file']}: {miss['category']}"
        + (f" ({miss['confidence']:.2f})" if miss["confidence"] is not None else "")
        for miss in figures["misses"]
    ]
    return "\n".join(lines).rstrip()


def comparison_table(compared: Comparison) -> str:
    """How the second run differs from the first."""
    photos = len(compared.pairs)
    if not photos:
        return f"Run {compared.first.pk} has none of these photos under the same label."
    lines = [
        f"On {photos} photos that both were asked about: {compared.first_right} right in run "
        f"{compared.first.pk}, {compared.second_right} in run {compared.second.pk}.",
        f"{len(compared.won)} became right and {len(compared.lost)} wrong: "
        f"{compared.difference:+.1%}. Chance alone makes a difference as large in "
        f"{compared.chance:.1%} of cases, so "
        + ("it is real." if compared.is_real else "it may be none."),
    ]
    lines += [
        f"{second.file}: {first.category or '-'} -> {second.category or '-'}"
        f" (it is {second.expected})"
        for first, second in compared.differing
    ]
    return "\n".join(lines)


def _summary(figures: Figures) -> list[str]:
    low, high = figures["interval"]
    tokens = "-" if figures["input_tokens"] is None else (
        f"{figures['input_tokens']:.0f} in, {figures['output_tokens']:.0f} out"
    )  # fmt: skip
    lines = [
        f"{figures['right']} of {figures['photos']} right: {_percent(figures['accuracy'], 1)} "
        f"(95%: {_percent(low, 1)} to {_percent(high, 1)})",
        f"time per photo: median {figures['median_ms']} ms, 95% within {figures['p95_ms']} ms, "
        f"longest {figures['max_ms']} ms",
        f"tokens per photo: {tokens}; {figures['cost_per_photo']} yuan per photo, "
        f"{figures['cost']} in all",
    ]
    for code, count in figures["failures"].items():
        lines.append(f"no answer: {count} x {code}")
    return lines


def _categories(figures: Figures) -> list[str]:
    lines = [f"{'category':<18}{'photos':>7}{'precision':>11}{'recall':>8}  answered as"]
    for key, row in figures["categories"].items():
        answers = sorted(figures["confusion"][key].items(), key=lambda item: -item[1])
        lines.append(
            f"{key:<18}{row['photos']:>7}{_percent(row['precision']):>11}"
            f"{_percent(row['recall']):>8}  "
            + ", ".join(f"{category} {count}" for category, count in answers)
        )
    return lines


def _calibration(figures: Figures) -> list[str]:
    lines = [f"{'confidence':<18}{'photos':>7}{'mean':>11}{'right':>8}"]
    for row in figures["calibration"]:
        edges = f"{row['from']:.2f} to {row['to']:.2f}"
        lines.append(
            f"{edges:<18}{row['photos']:>7}"
            f"{_percent(row['mean_confidence']):>11}{_percent(row['accuracy']):>8}"
        )
    return lines


def _percent(share: float | None, digits: int = 0) -> str:
    return "-" if share is None else f"{share:.{digits}%}"
