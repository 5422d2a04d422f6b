"""Shared memory from which viewers on the same machine copy bodies, instead of over the socket.

Over the socket a body is copied four times, and each part wakes both sides; here it is copied once,
and only the header is sent. There is no lock: the feed overwrites bodies that it no longer needs. A
number beside each body identifies it; a viewer that finds another number after copying was too
slow, and asks again. The copy is validated like any body.

Linux only: the memory is a `memfd`, which the kernel frees with the last process that holds it.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import stat
import struct
import weakref
from typing import Final

from livetable.feed.buffers.pool import MOST, PAGE, Piece, Room
from livetable.feed.errors import WireError
from livetable.feed.protocol.place import Place

MOST_PIECES: Final = 32
"""Most pieces that a process shares: each takes two of the producer's descriptors."""

_FOLDER: Final = "/proc"


class Unreadable(WireError):
    """The memory can't be read, at least not now."""


class WrittenOver(WireError):
    """The body was overwritten before it was copied."""


# -- the feed's side ------------------------------------------------------------------------------


class SharedRoom(Room):
    """A pool whose bodies viewers on this machine can read."""

    def place_of(self, body: memoryview) -> Place | None:
        """Return where viewers find a body of this pool, None if they can't read it.

        Args:
            body: The memory that `take` returned, or a view of it.
        """
        owner: object = body.obj
        with self._lock:
            of = [one for one in self._pieces if one.array is owner]
        return of[0].place if of and isinstance(of[0], _SharedPiece) else None

    def _new(self, room: int) -> Piece:
        try:
            return _SharedPiece(room)
        except OSError:  # no descriptors, no memory, or `MOST_PIECES`
            return super()._new(room)


class _SharedPiece(Piece):
    """Shared memory; a page in front of it begins with the number of the body.

    Raises:
        OSError: there is no more shared memory.
    """

    count = 0

    def __init__(self, room: int) -> None:
        if _SharedPiece.count >= MOST_PIECES or not hasattr(os, "memfd_create"):
            raise OSError("no more memory can be shared")
        self._name = f"livetable-{os.urandom(16).hex()}"
        self._fd = os.memfd_create(self._name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            # Allocate now: if memory ran out at a later write, SIGBUS would kill the producer.
            os.posix_fallocate(self._fd, 0, PAGE + room)
            _seal(self._fd)
            super().__init__(mmap.mmap(self._fd, PAGE + room), PAGE)
        except OSError:
            os.close(self._fd)
            raise
        self._number = 0
        _SharedPiece.count += 1
        weakref.finalize(self, _let_go, self._fd, os.getpid()).atexit = False

    @property
    def place(self) -> Place:
        """Where viewers find the body that is in it now."""
        return Place(os.getpid(), self._fd, self._name, self.start, self._number)

    def begin(self, size: int) -> None:
        """Prepare the memory for a body; the earlier body is invalid from here on."""
        self._number += 1
        struct.pack_into("=q", self.memory, 0, self._number)
        super().begin(size)


def _let_go(fd: int, pid: int) -> None:
    os.close(fd)
    if os.getpid() == pid:
        _SharedPiece.count -= 1


def _after_fork() -> None:
    # The inherited pieces belong to the parent: the child may share as many of its own.
    _SharedPiece.count = 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _seal(fd: int) -> None:
    import fcntl

    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)


# -- a viewer's side ------------------------------------------------------------------------------


class Reader:
    """Copies bodies from a feed's shared memory. Keeps it mapped, as a feed reuses its pieces."""

    def __init__(self) -> None:
        self._maps: dict[str, mmap.mmap] = {}
        self._room = Room()

    def read(self, place: Place, size: int) -> memoryview:
        """Return a copy of a body.

        Args:
            place: Where it is.
            size: Its bytes.

        Raises:
            Unreadable: it can't be read, at least not now.
            WrittenOver: it was overwritten.
        """
        import numpy as np

        memory = self._mapped(place)
        if not 0 < size <= MOST or place.at < _NUMBER or place.at + size > len(memory):
            raise Unreadable("memory: the body is outside it")
        copy = self._room.take(size)
        # NumPy releases the interpreter while it copies: key presses need not wait.
        np.frombuffer(copy, np.uint8)[:] = np.frombuffer(memory, np.uint8, size, place.at)
        if struct.unpack_from("=q", memory)[0] != place.number:
            raise WrittenOver("memory: a newer body has overwritten it")
        return copy

    def _mapped(self, place: Place) -> mmap.mmap:
        # Keep the newest few: a feed alternates between two pieces for a table.
        memory = self._maps.pop(place.name, None) or _open(place)
        self._maps[place.name] = memory
        while len(self._maps) > _MAPS:
            del self._maps[next(iter(self._maps))]
        return memory


_MAPS: Final = 3
_NUMBER: Final = 8  # bytes of the number at the beginning


def _open(place: Place) -> mmap.mmap:
    """Map a feed's memory, after checking that it is this user's and can't shrink.

    Raises:
        Unreadable: it is neither.
    """
    import fcntl

    path = f"{_FOLDER}/{place.pid}/fd/{place.fd}"
    expected = f"/memfd:{place.name} (deleted)"
    with contextlib.ExitStack() as leaving:
        try:
            # Check before opening: opening e.g. a device or a pipe could have side effects.
            if os.readlink(path) != expected or os.stat(path).st_uid != os.getuid():
                raise Unreadable("memory: it does not belong to the feed")
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
            leaving.callback(os.close, fd)
            # And check again: the descriptor may have been reused in between.
            is_it = os.readlink(f"{_FOLDER}/self/fd/{fd}") == expected
            is_it = is_it and stat.S_ISREG(os.fstat(fd).st_mode)
            # Reading memory that was truncated would kill the viewer (SIGBUS).
            if not is_it or not fcntl.fcntl(fd, fcntl.F_GET_SEALS) & fcntl.F_SEAL_SHRINK:
                raise Unreadable("memory: it does not belong to the feed, or can shrink")
            return mmap.mmap(fd, 0, prot=mmap.PROT_READ)
        except (OSError, ValueError) as error:  # another container or user, or the feed is gone
            raise Unreadable(f"memory: {error}") from None
