"""The `livetable` command: parse, then `check` (which refuses, and touches nothing), then act."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final, NoReturn

from livetable.feed.base.command_line import fail, run_command, split_command
from livetable.tui.cli.checks import PROGRAM
from livetable.tui.cli.options import build_parser, for_feed
from livetable.tui.cli.process_end import end_process
from livetable.tui.cli.request import Call, Way, check, kind_of
from livetable.tui.target import Target, ViewOptions, origin_of
from livetable.tui.terminal import gc_pause

__all__ = ["build_parser", "main"]

_POOL: Final = "ARROW_DEFAULT_MEMORY_POOL"


def command() -> NoReturn:
    """Run `livetable` as the whole of this process."""
    if "_ARGCOMPLETE" in os.environ:  # the shell asks how a line goes on
        from livetable.tui.cli.completion import complete  # late: no start needs it

        complete(build_parser())
    end_process(main())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `livetable`; return its exit code."""
    return run_command(PROGRAM, lambda: _run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    gc_pause.hold()
    given, command = split_command(arguments)
    if given[:1] == ["completion"] and command is None:
        return _print_completion(given[1:])
    options = build_parser().parse_args(given)
    call = check(options, command)  # refuses before anything is written, started or opened
    with contextlib.ExitStack() as stack:
        return _act(call, stack)


def _print_completion(given: Sequence[str]) -> int:
    """Print what makes a shell complete `livetable`'s lines."""
    from livetable.tui.cli.completion import SHELLS, script

    if len(given) != 1 or given[0] not in SHELLS:
        shells = ", ".join(SHELLS)
        fail(PROGRAM, f"name one shell of {shells}, e.g. livetable completion bash", 2)
    print(script(given[0], PROGRAM))
    return 0


def _act(call: Call, stack: contextlib.ExitStack) -> int:
    options, targets, view = call.options, list(call.targets), call.view
    for one in targets:
        if address := one.source or one.endpoint:
            from livetable.feed.base.hosts import check_host  # late: most tables are local

            check_host(address)
    if call.record is not None:
        from livetable.feed.tape.recorder import Recorder

        view = replace(view, record=Recorder(call.record, call.rotation))
    if options.demo:
        from livetable.tui.workers.feed_process import FeedProcess

        targets = [stack.enter_context(FeedProcess("processes", "processes")).target]
    if options.feed_key is not None or any(one.endpoint for one in targets):
        from livetable.tui.cli.trust import settle_keys  # late: most tables are local

        settle_keys(targets, options.feed_key)
    targets = [
        replace(_followed(target, call, stack), origin=origin_of(target)) for target in targets
    ]
    if call.way is Way.WEB:
        from livetable.tui.cli.web import command_for, serve

        title = ", ".join(target.title for target in targets)
        return serve(command_for(targets, options), f"livetable {title}", options.web)
    if call.way is Way.SCREEN:
        return _show(targets, view, call)
    gc_pause.settle()
    return _print(targets[0], view, call, stack)


def _print(target: Target, view: ViewOptions, call: Call, stack: contextlib.ExitStack) -> int:
    """Print, follow, list or record without a screen."""
    from livetable.tui.batch.print_once import only_table, print_list, print_once

    if call.way is Way.HEADLESS:
        from livetable.tui.batch.record import run

        return run(only_table(target, view, stack), view)
    if call.way is Way.FOLLOW:
        from livetable.tui.batch.follow import follow

        return follow(only_table(target, view, stack), view, call.form or "jsonl", sys.stdout)
    write = print_list if call.way is Way.LIST else print_once
    return write(target, view, call.form or "table", sys.stdout)


def _followed(target: Target, call: Call, stack: contextlib.ExitStack) -> Target:
    """Return where a source's table is; start a feed process if the source needs one."""
    options, more = call.options, for_feed(call.options)
    if options.pull and target.endpoint is not None and target.table is None:
        from livetable.tui.workers.feed_process import foreign_feed

        # A PUSH socket never answers: waiting to see whether it is livetable's would be in vain.
        return stack.enter_context(foreign_feed(target.endpoint, more)).target
    if not (target.file or target.piped or target.source or target.command):
        return target
    from livetable.tui.workers.feed_process import FeedProcess

    if options.each and kind_of(target) == "folder":
        assert target.file is not None
        feed = FeedProcess(str(target.file.absolute()), None, *more, waits=True)
        return Target(stack.enter_context(feed).target.endpoint)
    if target.source is not None:
        feed = FeedProcess(target.source, None, *more, waits=True)
        return replace(target, endpoint=stack.enter_context(feed).target.endpoint)
    assert target.table is not None
    if target.command:
        feed = FeedProcess("command", target.table, *more, command=target.command)
    elif target.piped:
        feed = FeedProcess("-", target.table, *more, data=_pipe_of(target), title=_title(target))
    else:
        assert target.file is not None
        more = [one for one in more if one != "--each"]
        feed = FeedProcess(str(target.file.absolute()), target.table, *more)
    return stack.enter_context(feed).target


def _pipe_of(target: Target) -> int:
    if target.file is None:
        return os.dup(0)
    # Non-blocking, or opening would wait here for a writer: the feed process waits instead.
    pipe = os.open(target.file, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(pipe, True)
    return pipe


def _title(target: Target) -> str | None:
    return None if target.file is None else str(target.file)


def _show(targets: list[Target], options: ViewOptions, call: Call) -> int:
    if not call.options.in_browser:
        _take_terminal()
    from livetable.tui.workers.feed import ask_early

    gc_pause.share_memory()
    with _small_arrow():
        client = ask_early(targets[0])
        from livetable.tui.app import LivetableApp

    app = LivetableApp(*targets, options=options, client=client)
    app.take_settings(call.settings, call.complaint)
    if call.options.theme is not None:
        app.theme = call.options.theme
    app.run()
    return app.return_code or 0


@contextlib.contextmanager
def _small_arrow() -> Iterator[None]:
    """Make Arrow, which is imported meanwhile, allocate from the system.

    Its own pool takes 6 MB at the start, and is only faster at what a viewer does not do.
    """
    given = os.environ.get(_POOL)
    os.environ[_POOL] = given or "system"
    try:
        yield
        import pyarrow

        pyarrow.default_memory_pool()  # the first call reads the environment variable
    finally:
        if given is None:  # child processes must not inherit it
            del os.environ[_POOL]


def _take_terminal() -> None:
    """Read keys from the terminal if standard input is something else."""
    if not sys.stdin.isatty():
        try:
            terminal = os.open("/dev/tty", os.O_RDWR)
        except OSError:  # it existed when `check` looked
            fail(PROGRAM, "The terminal is gone. Use --once", 1)
        os.dup2(terminal, 0)
        os.close(terminal)


if __name__ == "__main__":
    raise SystemExit(main())
