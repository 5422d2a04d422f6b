"""The application: its first screen, the keys that work everywhere, and the exit."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, ClassVar

from rich.console import RenderableType
from rich.text import Text
from textual import events
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.filter import ANSIToTruecolor, Monochrome, NoColor
from textual.screen import Screen
from textual.theme import ThemeProvider

from livetable.feed.base.signals import leave_at_last
from livetable.feed.base.terminal_text import harmless
from livetable.tui.config.settings import Settings
from livetable.tui.dialogs.leaving import Palette
from livetable.tui.pane.messages import TerminalTook
from livetable.tui.pane.table_pane import TablePane
from livetable.tui.screens.tabs import Chosen, TablesScreen
from livetable.tui.target import DEFAULTS, Target, ViewOptions
from livetable.tui.terminal import gc_pause, textual_fixes
from livetable.tui.terminal.driver import TerminalDriver, driver_for_terminal
from livetable.tui.terminal.job_control import has_shell
from livetable.tui.terminal.key_order import TypedInOrder
from livetable.tui.terminal.slow_line import CarefulPaint
from livetable.tui.terminal.timer import later
from livetable.tui.widgets.bindings import named, wrong_keys
from livetable.tui.widgets.table_view import TABLE_CSS, TableView

if TYPE_CHECKING:
    from livetable.feed.client.connection import Client
    from livetable.tui.widgets.prompt import Prompt

LAST_SECONDS = 3.0
"""After a signal that ends it, the viewer exits within this time."""

_RESIZE_SECONDS = 0.1
_TOGETHER_SECONDS = 0.03
_THREADS = 64  # an upper bound: threads are started when they are needed

INTERRUPTED = 130
"""Exit code of Ctrl-C."""

HUNG_UP = 129
"""Exit code when the terminal is gone, as after SIGHUP."""

textual_fixes.mend()


class LivetableApp(TypedInOrder[int]):
    """Shows tables, or a list of tables to choose from.

    Args:
        targets: What to show. Several tables are shown as tabs.
        options: The command line's options for the view.
        client: A reader that has already requested the first table.
    """

    CSS_PATH: ClassVar[list[str | PurePath]] = [
        TABLE_CSS,
        Path(__file__).with_name("livetable.tcss"),
    ]
    TITLE = "livetable"
    ALLOW_SELECT = False  # no key copies a selection, and selecting fails while a widget is removed
    BINDINGS: ClassVar[list[BindingType]] = named(
        Binding("question_mark", "help", "Help", key_display="?"),
        Binding("q", "quit", "Quit"),
        Binding("ctrl+c", "interrupt", "Interrupt", show=False, priority=True),
        Binding("ctrl+z", "suspend_process", "Suspend", show=False, priority=True),
    )

    def __init__(
        self, *targets: Target, options: ViewOptions = DEFAULTS, client: Client | None = None
    ) -> None:
        super().__init__(driver_class=driver_for_terminal())
        is_sixteen = self.console.color_system == "standard"
        self.set_class(is_sixteen, "-sixteen")
        if is_sixteen or self.no_color:
            # This filter turns faint text (stale data) into a colour, which can't be shown here.
            self._filters = [one for one in self._filters if not isinstance(one, ANSIToTruecolor)]
        if self.no_color:  # Textual's Monochrome shows greys, which are colours, too
            self._filters = [
                NoColor() if isinstance(one, Monochrome) else one for one in self._filters
            ]
        self._client = client
        self._targets = targets
        self._options = options
        self._complaint: str | None = None
        self._careful: CarefulPaint | None = None
        self._anew_timer: asyncio.TimerHandle | None = None
        self.tidier = gc_pause.Tidier()

    def take_settings(self, settings: Settings, complaint: str | None) -> None:
        """Apply the user's settings. Call it before `run`.

        Args:
            settings: The settings.
            complaint: What is wrong with the settings file, None if nothing is.
        """
        if settings.theme is not None:
            if settings.theme in self.available_themes:
                self.theme = settings.theme
            else:
                known = ", ".join(sorted(self.available_themes))
                complaint = f"No theme {settings.theme!r}. Use one of: {known}"
        if settings.keys:
            wrong = wrong_keys(settings.keys, all_bindings())
            if wrong is None:
                self.set_keymap({name: str(keys) for name, keys in settings.keys.items()})
            complaint = wrong or complaint
        self._complaint = complaint

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Return the commands of the palette: each key that works here, and Textual's commands."""
        for active in screen.active_bindings.values():
            binding = active.binding
            if active.enabled and binding.id is not None:
                key = self.get_key_display(binding)
                yield SystemCommand(
                    f"{binding.description}  ({key})",
                    binding.tooltip or binding.description,
                    partial(self.simulate_key, binding.key),
                )
        yield from super().get_system_commands(screen)

    def action_suspend_process(self) -> None:
        """Give the terminal back to the shell until the user types ``fg``."""
        if not isinstance(self._driver, TerminalDriver) or not self._driver.can_suspend:
            return
        if not has_shell():
            self.notify("Can't suspend: no shell to return to. Press q to quit.", timeout=4)
            return
        self._suspend_signal()
        self._driver.stop_group()

    def action_command_palette(self) -> None:
        """Show the command palette, unless it is open."""
        if not isinstance(self.screen, Palette):
            self.push_screen(Palette())  # no id: the previous palette may still be closing

    def search_themes(self) -> None:
        """Show a list of themes to choose from."""
        self.push_screen(Palette([ThemeProvider], placeholder="Search for themes…"))

    def get_default_screen(self) -> Screen[Any]:
        """Return the first screen."""
        if all(target.table is not None for target in self._targets):
            return TablesScreen(
                self._targets, self._options, client=self._client, choose=self._choose_table
            )
        from livetable.tui.screens.table_picker import (
            PickerScreen,  # late: a named table needs none
        )

        first = self._targets[0]
        return PickerScreen(first.endpoint, self._options, origin=first.origin)

    def _choose_table(self, options: ViewOptions, chosen: Chosen) -> None:
        from livetable.tui.screens.table_picker import choose_table  # late: few open another one

        choose_table(self, options, chosen)

    def on_load(self) -> None:
        """Allow enough threads: each open table needs one or two all the time."""
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(max_workers=_THREADS))

    def on_mount(self) -> None:
        """Connect the driver's callbacks, and exit properly on signals."""
        if isinstance(self._driver, TerminalDriver):
            self._driver.on_progress = self._on_progress
            self._driver.careful = self._careful = CarefulPaint(self, self._driver)
            self._driver.on_gone = partial(self._lose, asyncio.get_running_loop())
            if self._driver.is_gone:
                self._lose(asyncio.get_running_loop())
        if self._complaint is not None:
            self.notify(harmless(self._complaint), severity="error", timeout=10, markup=False)
        self.set_timer(gc_pause.SETTLE_SECONDS, partial(gc_pause.settle, tidy=True))
        # After a resume the terminal is blank, but Textual paints only what changes from then on.
        self.app_resume_signal.subscribe(self, self._on_resume)
        loop = asyncio.get_running_loop()
        for name in ("SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            # Not supported on Windows, nor outside the main thread.
            with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
                if number is not None:
                    loop.add_signal_handler(number, self._hang_up, 128 + number)

    def on_resize(self, event: events.Resize) -> None:
        """Make sure that the screen gets the new size.

        Textual sends it from a short timer. Under load that timer never fires (see `later`), and
        while Textual waits for it, it ignores other sizes: the screen would keep its old size.
        """
        if self._careful is not None:
            self._careful.forget()  # on a resize, terminals move, cut and wrap the text
        later(self, _RESIZE_SECONDS, self._check_resize)
        later(self, 2 * _RESIZE_SECONDS, self._see_size)
        if self._anew_timer is not None:
            self._anew_timer.cancel()
        driver = self._driver
        if not isinstance(driver, TerminalDriver) or driver.was_resized:  # not at the start
            self._anew_timer = later(self, 3 * _RESIZE_SECONDS, self._paint_anew)

    def _paint_anew(self) -> None:
        """Paint the whole screen, once the terminal has kept its size for a while.

        The terminal may have had another size in between that was never reported here. It has then
        cut its lines, and Textual would paint nothing, as the size is unchanged.
        """
        self._anew_timer = None
        if self._careful is not None:
            self._careful.forget()
        self.refresh()

    def _see_size(self) -> None:
        if isinstance(self._driver, TerminalDriver) and self.screen_stack:
            self._driver.see_size(self.screen.size)

    def _on_resume(self, _: object) -> None:
        if self._careful is not None:
            self._careful.forget()
        self.refresh()

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        careful, driver = self._careful, self._driver
        if careful is None or not isinstance(driver, TerminalDriver):
            super()._display(screen, renderable)
        elif renderable is None or self._batch_count or not careful.is_on:
            super()._display(screen, renderable)
            driver.ask_if_due()
        else:
            careful.display()
            self.post_display_hook()

    def _on_progress(self) -> None:
        # Post a message: code outside Textual's own tasks has no active app.
        waits = False
        for screen in self.screen_stack:
            for pane in screen.panes if isinstance(screen, TablesScreen) else ():
                if pane.waits_for_terminal:
                    pane.post_message(TerminalTook())
                    waits = True
        if self._careful is not None:
            # Wait a moment for the panes: their news then goes into this paint, not the next one.
            later(self, _TOGETHER_SECONDS if waits else 0.0, self._careful.pay)

    @property
    def prompt(self) -> Prompt | None:
        """The prompt that gets typed text, None if none is open."""
        screen = self.screen if self.screen_stack else None
        return screen.pane.prompt if isinstance(screen, TablesScreen) else None

    @property
    def home(self) -> TableView | None:
        """The table that gets the keys when no other widget does."""
        screen = self.screen if self.screen_stack else None
        if isinstance(screen, TablesScreen):
            table = screen.pane.table_view if screen.is_mounted else None
        else:
            table = next(iter(screen.query(TableView)), None) if screen is not None else None
        return table if table is not None and table.focusable else None

    def exit(
        self,
        result: int | None = None,
        return_code: int = 0,
        message: RenderableType | None = None,
    ) -> None:
        """Exit. End the workers first: under load, Textual may never unmount a screen."""
        if isinstance(self._driver, TerminalDriver):
            self._driver.leave()  # first: the workers end while the terminal answers
        for screen in self.screen_stack:
            end_work = getattr(screen, "end_work", None)
            if end_work is not None:
                end_work()
        super().exit(result, return_code, message)

    def _fatal_error(self) -> None:
        """Exit with one sentence. The traceback is saved in a file, for the bug report."""
        if self.is_headless or self._exception is None:
            super()._fatal_error()
        else:
            from livetable.feed.base.crash_report import crash_sentence

            self.panic(Text(harmless(crash_sentence(self._exception))))

    def _hang_up(self, code: int) -> None:
        leave_at_last(code, LAST_SECONDS)
        self._leave(code)

    def _lose(self, loop: asyncio.AbstractEventLoop) -> None:
        """Exit, because the terminal is gone. Works in any thread, even if the event loop hangs."""
        leave_at_last(HUNG_UP, LAST_SECONDS)
        with contextlib.suppress(RuntimeError):  # the loop has just ended
            loop.call_soon_threadsafe(self._leave, HUNG_UP)

    def _leave(self, code: int) -> None:
        self.exit(return_code=code)

    def action_help(self) -> None:
        """Show the help, unless it is open."""
        from livetable.tui.screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen())

    async def action_quit(self) -> None:
        """Exit."""
        self._leave(0)

    def action_interrupt(self) -> None:
        """Exit with the code of Ctrl-C."""
        self._leave(INTERRUPTED)


def all_bindings(*, tapes: bool = True) -> Iterator[Binding]:
    """Yield livetable's own bindings: those that have names.

    Args:
        tapes: Whether to include the bindings for tapes.
    """
    owners: tuple[type, ...] = (*TableView.__mro__, *TablePane.__mro__, TablesScreen, LivetableApp)
    if tapes:
        from livetable.tui.pane.tape_player import TapePlayer  # late: few look at tapes

        owners = (*owners, TapePlayer)
    for owner in dict.fromkeys(owners):
        for binding in vars(owner).get("BINDINGS", ()):
            if isinstance(binding, Binding) and binding.id is not None:
                yield binding
