"""Ages and rates as short text that changes rarely."""

from __future__ import annotations


def age_text(age: float | None) -> str:
    """Return an age as text: ``now``, ``7 s``, ``25 s``, ``3 m``. Older ages change less often."""
    if age is None:
        return ""
    if age < 1:
        return "now"
    if age < 10:
        return f"{int(age)} s"
    if age < 60:  # a text that changes each second distracts, and wakes the processor
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
    """Return a text about a slow terminal line: ``line 20 kB/s · 1.2 s behind``.

    Args:
        rate: Bytes per second, None if unknown.
        behind: Seconds by which the line delays what is shown.
    """
    if rate is None:
        carries = "unknown"
    else:
        carries = f"{rate / 1e6:.1f} MB/s" if rate >= 999_500 else f"{max(rate / 1e3, 1):.0f} kB/s"
    return f"line {carries} · {behind:.1f} s behind"


def span_text(seconds: float) -> str:
    """Return a duration as text: ``0.4 s``, ``12 s``, ``3:07``, ``2:03:07``."""
    if seconds < 10:
        return f"{max(seconds, 0.0):.1f} s"
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02}"
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
