"""Ages and rates as short text that changes no more often than it must."""

from __future__ import annotations


def age_text(age: float | None) -> str:
    """Return an age that changes less often the older it is: ``now``, ``7 s``, ``25 s``."""
    if age is None:
        return ""
    if age < 1:
        return "now"
    if age < 10:
        return f"{int(age)} s"
    if age < 60:  # a line that changes each second draws the eye, and wakes the processor
        return f"{int(age / 5) * 5} s"
    if age < 3600:
        return f"{int(age / 60)} m"
    return f"{int(age / 3600)} h" if age < 86_400 else f"{int(age / 86_400)} d"


def rate_text(rate: float) -> str:
    """Return frames per second in at most four digits: ``30/s``, ``0.5/s``, ``1.2k/s``."""
    if rate >= 999.5:
        return f"{rate / 1000:.1f}k/s"
    return f"{rate:.0f}/s" if rate >= 9.95 or rate == 0 else f"{rate:.1f}/s"


def line_text(rate: float | None, behind: float) -> str:
    """Return what a slow line is like: ``line 20 kB/s · 1.2 s behind``.

    Args:
        rate: Bytes a second, None if that is not known.
        behind: Seconds that what is shown is late on account of the line.
    """
    if rate is None:
        carries = "unknown"
    else:
        carries = f"{rate / 1e6:.1f} MB/s" if rate >= 999_500 else f"{max(rate / 1e3, 1):.0f} kB/s"
    return f"line {carries} · {behind:.1f} s behind"


def span_text(seconds: float) -> str:
    """Return how long something lasts: ``0.4 s``, ``12 s``, ``3:07``, ``2:03:07``."""
    if seconds < 10:
        return f"{max(seconds, 0.0):.1f} s"
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02}"
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
