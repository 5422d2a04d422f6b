"""NATS: a core subscription for live frames, and JetStream for the newest frame of each table.

nats-py's ordered consumer and KV watch are not used: they do not recover when the server restarts
(measured; nats.py issue 510).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final
from urllib.parse import quote, unquote

from livetable.feed.base.addresses import read_address, read_file, scrubbed, secret_from, shown
from livetable.feed.base.extras import need
from livetable.feed.brokers.broker import BrokerAway, BrokerError, OnPart, unpack, why_of
from livetable.feed.errors import BadEndpoint

STREAM: Final = "LIVETABLE"
FRAMES: Final = "livetable.frame"
BEATS: Final = "livetable.beat"

_SAFE: Final = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
_ACK_SECONDS: Final = 2.0
_LEAST_ACK_SECONDS: Final = 0.3
_OPEN_SECONDS: Final = 2.5
_IN_FLIGHT: Final = 32
_HEADROOM: Final = 64 << 10
_ABOUT: Final = "about"
_BUSY: Final = (10008, 10009)  # the cluster, or the stream, has no leader now


def connect(endpoint: str) -> Nats:
    """Return a connection that is not open yet."""
    return Nats(endpoint)


class Nats:
    """One connection.

    Args:
        endpoint: ``nats://host:4222``; several servers with commas; ``?replicas=3`` for the stream,
            if it has to be made. User and password, or a token, in the address; else a password by
            ``?password_file=FILE`` or NATS_USER and NATS_PASSWORD, a token by NATS_TOKEN; else a
            credentials file by ``?creds=FILE`` or NATS_CREDS.

    Raises:
        BadEndpoint: it can't be used; the sentence contains no secrets.
    """

    def __init__(self, endpoint: str) -> None:
        self._shown = shown(endpoint)
        self._address = read_address(endpoint)
        replicas = self._address.query.get("replicas", "1")
        if replicas not in ("1", "3", "5"):
            raise BadEndpoint(f"{self._shown}: replicas must be 1, 3 or 5")
        self._replicas = int(replicas)
        scheme = self._address.scheme
        self._servers = [f"{scheme}://{one}" for one in self._address.servers]
        self.part_bytes = 0
        self.on_link: Callable[[bool], None] = lambda there: None
        self._client: Any = None
        self._stream: Any = None
        self._why: Exception | None = None
        self._secrets: tuple[str | None, ...] = ()
        self._ack_seconds = 0.0  # on average

    async def open(self) -> None:
        """Connect, and make the stream if it is not there."""
        from nats.aio.client import Client

        login = self._login()
        self._why = None
        client: Any = Client()
        self._client = client
        try:
            await asyncio.wait_for(
                client.connect(
                    servers=self._servers, name="livetable", connect_timeout=2,
                    max_reconnect_attempts=1, reconnect_time_wait=0.2, allow_reconnect=True,
                    error_cb=self._failed, disconnected_cb=self._away, reconnected_cb=self._back,
                    pending_size=64 << 20, **login,
                ),
                _OPEN_SECONDS,
            )  # fmt: skip
            # one try at first to fail fast, endless ones once connected
            client.options["max_reconnect_attempts"] = -1
            self.part_bytes = max(4096, int(client.max_payload) - _HEADROOM)
            self._stream = client.jetstream(timeout=_ACK_SECONDS)
            await self._make_stream()
        except BaseException as error:
            # Also a connection half made: its pending tasks would be reported when the loop ends.
            with contextlib.suppress(Exception):
                await client.close()
            if not isinstance(error, Exception):
                raise
            raise self._refusal(error) from None

    def _login(self) -> dict[str, Any]:
        """Return the login as arguments of nats-py, which does not decode ``%40`` in addresses."""
        address = self._address
        user = address.user or os.environ.get("NATS_USER")
        password = address.password
        if password is None:
            password = secret_from(address, ("NATS_PASSWORD",) if user else ())
        if address.user is not None and password is None:
            self._secrets = (address.user,)
            return {"token": address.user}
        self._secrets = (password, address.password and quote(address.password))
        if user is not None and password is not None:
            return {"user": user, "password": password}
        if address.query.get("creds") is None and (token := os.environ.get("NATS_TOKEN")):
            self._secrets = (token,)
            return {"token": token}
        if creds := address.query.get("creds") or os.environ.get("NATS_CREDS"):
            need("nkeys", "nats", "a NATS credentials file")
            if "BEGIN NATS USER JWT" not in read_file(creds, lambda path: path.read_text()):
                raise BadEndpoint(
                    f"{creds} is not a credentials file: make one with nsc generate creds"
                )
            return {"user_credentials": os.path.expanduser(creds)}
        return {}

    def _refusal(self, error: Exception) -> BrokerError:
        """Return a `BrokerAway` if waiting may help, else a `BrokerError`."""
        if isinstance(error, BrokerError):
            return error
        from nats.errors import NoServersError, StaleConnectionError
        from nats.js.errors import APIError

        if isinstance(error, (TimeoutError, NoServersError)) and self._why is not None:
            error = self._why  # the real reason; `error` only says that all attempts failed
        why = scrubbed(why_of(error), *self._secrets).removeprefix("nats: ").strip("'")
        if isinstance(error, APIError):
            busy = error.err_code in _BUSY or error.code == 408
            return BrokerAway(why) if busy else BrokerError(f"{self._shown}: {why:.200}")
        if isinstance(error, ssl.SSLError):
            return BrokerError(f"{self._shown}: {why:.200}")
        if isinstance(error, (OSError, TimeoutError)) or "empty response" in why:
            return BrokerAway(why)
        if "uthoriz" in why or "uthentic" in why:
            return BrokerError(f"{self._shown} refuses the login: {why:.200}")
        away = isinstance(error, (NoServersError, StaleConnectionError))
        return BrokerAway(why) if away else BrokerError(f"{self._shown}: {why:.200}")

    async def _make_stream(self) -> None:
        from nats.js.api import DiscardPolicy, StorageType, StreamConfig
        from nats.js.errors import NotFoundError, ServiceUnavailableError

        try:
            await self._stream.stream_info(STREAM)
        except NotFoundError:
            await self._stream.add_stream(
                StreamConfig(
                    name=STREAM, subjects=[f"{FRAMES}.>"], max_msgs_per_subject=1,
                    discard=DiscardPolicy.OLD, storage=StorageType.FILE, allow_direct=True,
                    num_replicas=self._replicas,
                )
            )  # fmt: skip
        except ServiceUnavailableError as error:
            if error.err_code in _BUSY:
                raise
            raise BrokerError(
                f"{self._shown} has no JetStream: start nats-server with -js"
            ) from None

    async def _failed(self, error: Exception) -> None:
        self._why = error

    async def _away(self) -> None:
        self.on_link(False)

    async def _back(self) -> None:
        self.on_link(True)

    async def close(self) -> None:
        """Disconnect after flushing. A second call does nothing."""
        if self._client is not None:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self._client.flush(1), 1)
            with contextlib.suppress(Exception):
                await self._client.close()

    async def put(self, table: str, parts: Sequence[bytes]) -> None:
        """Publish a frame, its first part last: a reader that sees it finds all others."""
        subject = f"{FRAMES}.{token(table)}"
        try:
            numbers = list(range(len(parts) - 1, 0, -1))
            for start in range(0, len(numbers), _IN_FLIGHT):
                await asyncio.gather(
                    *(
                        self._stream.publish(f"{subject}.{at}", parts[at])
                        for at in numbers[start : start + _IN_FLIGHT]
                    )
                )
            began = time.monotonic()
            # Listeners have it whether or not it is stored: without a leader of the stream, don't
            # wait long for the acknowledgement, but send the next frame.
            patience = min(_ACK_SECONDS, max(_LEAST_ACK_SECONDS, 8 * self._ack_seconds))
            await self._stream.publish(f"{subject}.0", parts[0], timeout=patience)
            self._ack_seconds += 0.1 * (time.monotonic() - began - self._ack_seconds)
        except Exception as error:  # raised by nats: no leader, no connection, no space
            why = scrubbed(why_of(error), *self._secrets)
            raise BrokerError(f"{self._shown}: {why}") from None

    async def introduce(self, table: str, about: bytes) -> None:
        """Store a catalogue of this one table beside its frame."""
        try:
            await self._stream.publish(f"{FRAMES}.{token(table)}.{_ABOUT}", about)
        except Exception as error:  # raised by nats, as in `put`
            raise BrokerError(scrubbed(why_of(error), *self._secrets)) from None

    async def kept(self, table: str) -> tuple[bytes | None, bytes | None]:
        """Return the catalogue stored by `introduce`, and the header of the stored frame."""
        messages: list[bytes | None] = []
        for which in (_ABOUT, "0"):
            try:
                message = await self._last(f"{FRAMES}.{token(table)}.{which}")
                messages.append(message if which == _ABOUT else unpack(message)[0])
            except Exception:  # nothing stored, or the stream has no leader now
                messages.append(None)
        return messages[0], messages[1]

    async def drop(self, table: str) -> None:
        """Forget a table's frames."""
        with contextlib.suppress(Exception):
            await self._stream.purge_stream(STREAM, subject=f"{FRAMES}.{token(table)}.*")

    async def say(self, beat: bytes) -> None:
        """Send a catalogue."""
        with contextlib.suppress(Exception):
            if self._client.is_connected:  # else nats-py would buffer it, and send it late
                await self._client.publish(BEATS, beat)

    async def hear(self, on_beat: Callable[[bytes], None]) -> None:
        """Listen to catalogues."""

        async def on_message(message: Any) -> None:
            on_beat(message.data)

        await self._client.subscribe(BEATS, cb=on_message)

    async def names(self) -> list[str]:
        """Return the names of the tables of which a frame is stored."""
        try:
            info = await self._stream.stream_info(STREAM, subjects_filter=f"{FRAMES}.*.0")
        except Exception as error:  # e.g. the server is still starting
            raise BrokerError(scrubbed(why_of(error), *self._secrets)) from None
        subjects = (info.state.subjects if info.state else None) or {}
        return [name_of(subject.split(".")[-2]) for subject in subjects]

    async def follow(self, table: str, on_part: OnPart) -> Callable[[], Awaitable[None]]:
        """Listen to a table, then fetch the stored frame: in this order no frame is missed."""
        subject = f"{FRAMES}.{token(table)}"

        async def on_message(message: Any) -> None:
            on_part(message.data, True)

        # The limit must hold all parts of a large frame: the client drops messages beyond it.
        subscription = await self._client.subscribe(
            f"{subject}.*", cb=on_message, pending_bytes_limit=2 << 30
        )
        fetching = asyncio.ensure_future(self._fetch(subject, on_part))

        async def end() -> None:
            fetching.cancel()
            with contextlib.suppress(Exception):
                await subscription.unsubscribe()

        return end

    async def _fetch(self, subject: str, on_part: OnPart) -> None:
        from nats.js.errors import NotFoundError

        from livetable.feed.protocol.messages import Header

        for wait in (0.0, 0.1, 0.3, 0.5, 1.0, 1.0, 1.0, 2.0, 2.0):
            await asyncio.sleep(wait)
            try:
                first = await self._last(f"{subject}.0")
                header = Header.decode(unpack(first)[0])
                on_part(first, False)
                for at in range(1, header.parts):
                    on_part(await self._last(f"{subject}.{at}"), False)
                return
            except NotFoundError:
                return  # no frame yet
            except Exception:  # no leader now, or not a livetable frame
                continue

    async def _last(self, subject: str) -> bytes:
        message = await self._stream.get_last_msg(STREAM, subject, direct=True)
        data: bytes = message.data
        return data


def token(name: str) -> str:
    """Return a table's name as part of a subject; special characters become ``=XX``."""
    return "".join(chr(one) if one in _SAFE else f"={one:02X}" for one in name.encode())


def name_of(part: str) -> str:
    """Return the name that `token` was made of."""
    return unquote(part.replace("=", "%"))
