"""tui.cli.main: the way out of the command, in one sentence and with an exit code."""

from __future__ import annotations

import pytest

from livetable.feed.base.command_line import run_command


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (OSError(28, "No space left on device"), 1, "can't write the output: No space left"),
        (OSError(9, "Bad file descriptor"), 1, "the output is closed"),
        (PermissionError(13, "Permission denied", "/x/y"), 1, "/x/y: Permission denied"),
        (UnicodeEncodeError("latin-1", "aЖ", 1, 2, "no"), 1, "latin-1 can't write '\\u0416'"),
        (RuntimeError("what"), 1, "RuntimeError: what"),
        (BrokenPipeError(32, "Broken pipe"), 1, "Broken pipe"),  # of another pipe than the output
    ],
)
def test_whatever_goes_wrong_is_one_sentence(
    error: Exception, code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def act() -> int:
        raise error

    with pytest.raises(SystemExit) as ended:
        run_command("livetable", act)
    errors = capsys.readouterr().err
    assert (ended.value.code, errors.count("\n")) == (code, 1)
    assert says in errors


def test_ctrl_c_is_130() -> None:
    def act() -> int:
        raise KeyboardInterrupt

    assert run_command("livetable", act) == 130
