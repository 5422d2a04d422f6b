"""HTTP as a source: `PUT` of a table replaces it, `POST` adds, `DELETE` removes, `GET` reads it."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import logging
import math
import os
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from livetable.feed.base.loop_errors import hush
from livetable.feed.base.terminal_text import safe_str
from livetable.feed.errors import BadEndpoint, BadName, LivetableError
from livetable.feed.protocol.names import check_name
from livetable.feed.server.publisher import Publisher
from livetable.feed.sources.file_types import path_of
from livetable.feed.sources.http_answers import WRITERS, frame_of
from livetable.feed.sources.httpdoor import Door
from livetable.feed.sources.payloads import table_of
from livetable.feed.sources.publish import Publish

if TYPE_CHECKING:
    from aiohttp import web

MAX_TABLES: Final = 1000
BODY_SECONDS: Final = 30.0
"""The most seconds from a header to the end of its body, plus one for each MB allowed."""

LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")

HOW: Final = """\
livetable, at {url}: tables by HTTP, shown live by `livetable`.

  curl -X PUT  {url}/tables/orders -d '[{{"id": 1, "price": 9.5}}, {{"id": 2, "price": 7.0}}]'
       replaces the table. Also CSV, JSON lines, Arrow, Feather, Parquet:
       curl -X PUT {url}/tables/orders --data-binary @orders.parquet
  curl -X POST {url}/tables/orders -d '{{"id": 3, "price": 8.0}}'
       adds rows at the end; in a table with a key, made by PUT or POST /tables/orders?key=id,
       rows of the same key are replaced. ?limit=1000 keeps the newest, ?ttl=60 those of a minute.
  curl -X DELETE {url}/tables/orders -d '[1, 2]'
       removes rows by key; without a body, the table.
  curl {url}/tables/orders
       the table now, as JSON; ?format=csv, arrow or parquet.
  curl {url}/tables
       the tables there are.

A table is shown by: livetable orders
"""

# aiohttp would write a traceback for each malformed request: who floods must not fill a log.
_QUIET: Final = logging.getLogger("livetable.feed.http.requests")
_QUIET.addHandler(logging.NullHandler())
_QUIET.propagate = False

_Handler = Callable[["web.Request"], Awaitable["web.StreamResponse"]]


class _Wrong(LivetableError):
    """A request that can't be done.

    Attributes:
        status: The HTTP status that says so.
    """

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Where to listen, and what is let in.

    Attributes:
        source: The address to listen at.
        key: The column that identifies a row, where a request names none.
        limit: The most rows that a table keeps, where a request does not say.
        token_file: The file with the word that a request has to bring; None: LIVETABLE_TOKEN.
        max_body: The most MB of a request's body.
        insecure: Whether anybody on the network may write.
    """

    source: str
    key: str | None = None
    limit: int | None = None
    token_file: str | None = None
    max_body: float = 64.0
    insecure: bool = False


def run(options: Options, publish: Publish, stop: threading.Event) -> None:
    """Listen at `options.source` until `stop` is set.

    Raises:
        BadEndpoint: can't listen at this address.
    """
    from aiohttp import web  # late: an extra; `registry.load` says so where it is missing

    parts = urlsplit(options.source)
    host = parts.hostname or "127.0.0.1"
    token = _token(options)
    if host not in LOOPBACK and token is None and not options.insecure:
        raise BadEndpoint(
            f"{options.source} lets anybody on the network write: set LIVETABLE_TOKEN, or run "
            "livetable-feed with --insecure"
        )
    try:
        port = 5000 if parts.port is None else parts.port
    except ValueError:
        raise BadEndpoint(f"{options.source}: write it as http://127.0.0.1:5000") from None
    _Server(web, publish, options, token, host).serve(port, stop)


def _token(options: Options) -> str | None:
    """Return the word that a request has to bring: from a file, or LIVETABLE_TOKEN."""
    if options.token_file is None:
        return os.environ.get("LIVETABLE_TOKEN") or None
    try:
        token = path_of(options.token_file).read_text().strip()
    except OSError as error:
        raise BadEndpoint(f"{options.token_file}: {error.strerror}") from None
    if not token:
        raise BadEndpoint(f"{options.token_file} is empty: write the token into it")
    return token


class _Server:
    """The tables and who changes them. Each request is done whole or not at all."""

    def __init__(
        self, web: Any, publish: Publish, options: Options, token: str | None, host: str
    ) -> None:
        self._web = web
        self._publish = publish
        self._key = options.key
        self._limit = options.limit
        self._bytes = int(options.max_body * (1 << 20))
        self._token = token
        self._host = host
        self._url = ""
        self._tables: dict[str, Publisher] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    def serve(self, port: int, stop: threading.Event) -> None:
        """Listen until `stop` is set."""
        try:
            asyncio.run(self._serve(port, stop))
        finally:
            for publisher in self._tables.values():
                publisher.close()

    async def _serve(self, port: int, stop: threading.Event) -> None:
        web = self._web
        app = web.Application(client_max_size=self._bytes, middlewares=[self._middleware()])
        app.add_routes(
            [
                web.get("/", self._how),
                web.get("/tables", self._list),
                web.get("/tables/{name}", self._get),
                web.put("/tables/{name}", self._put),
                web.post("/tables/{name}", self._post),
                web.delete("/tables/{name}", self._delete),
            ]
        )
        runner = web.AppRunner(app, access_log=None, logger=_QUIET, shutdown_timeout=1.0)
        await runner.setup()
        assert runner.server is not None
        self._door = Door(runner.server)
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        hush(loop, "HTTP")

        def wait() -> None:
            stop.wait()
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(ended.set)

        try:
            self._listen(port)
            threading.Thread(target=wait, daemon=True).start()
            await ended.wait()
        finally:
            self._door.close()
            await runner.cleanup()

    def _listen(self, port: int) -> None:
        try:
            bound = self._door.open(self._host, port)
        except OSError as error:
            raise BadEndpoint(
                f"can't listen at {self._host}:{port}: {error.strerror or error}"
            ) from None
        host = f"[{self._host}]" if ":" in self._host else self._host
        self._url = f"http://{host}:{bound}"
        self._publish.ready(f"listening at {self._url}: curl {self._url} shows how")

    def _middleware(self) -> Any:
        web = self._web

        @web.middleware  # type: ignore[untyped-decorator]
        async def middle(request: Any, handler: _Handler) -> Any:
            self._door.is_heard(request)
            try:
                self._admit(request)
                return await handler(request)
            except _Wrong as error:
                return self._said(error.status, str(error))
            except LivetableError as error:
                return self._said(422, str(error))
            except web.HTTPRequestEntityTooLarge:
                most = self._bytes / (1 << 20)
                return self._said(413, f"the body is larger than {most:g} MB: raise --max-body")
            except web.HTTPException as error:
                known = ", ".join(error.headers.getall("Allow", []))
                hint = f"; use {known}" if known else f": GET {self._url}/ shows how"
                return self._said(error.status, f"{error.reason.lower()}{hint}")
            except asyncio.CancelledError:
                raise
            except Exception as error:  # of a frame that only this request could have made
                return self._said(422, f"can't show the body: {safe_str(error):.200}")
            finally:
                self._door.is_answered(request)

        return middle

    async def _body(self, request: web.Request) -> bytes:
        """Return a request's body; who is slow with it does not keep a place for ever."""
        seconds = BODY_SECONDS + self._bytes / (1 << 20)
        try:
            async with asyncio.timeout(seconds):
                data = await request.read()
        except TimeoutError:
            raise _Wrong(408, f"the body did not arrive within {seconds:.0f} s") from None
        self._door.is_read(request)
        return data

    def _admit(self, request: web.Request) -> None:
        """Let nobody in without the token, and no page of a browser's that is from elsewhere."""
        if self._token is not None:
            given = request.headers.get("Authorization", "")
            given_bytes = given.encode("utf-8", "replace")
            if not hmac.compare_digest(given_bytes, f"Bearer {self._token}".encode()):
                raise _Wrong(401, "send the token: Authorization: Bearer …")
            return
        origin = request.headers.get("Origin")
        try:
            named = urlsplit(f"//{request.host}").hostname
            strange = origin is not None and urlsplit(origin).netloc != request.host
        except ValueError:
            raise _Wrong(400, "can't read the request's Host or Origin") from None
        if self._host in LOOPBACK and named not in LOOPBACK:
            raise _Wrong(403, f"{request.host} is not this machine's own name")
        if strange:
            raise _Wrong(403, "pages of other sites can't write here")

    def _said(self, status: int, sentence: str) -> web.Response:
        return self._answer({"error": sentence}, status)

    def _answer(self, value: Any, status: int = 200) -> web.Response:
        text = json.dumps(value, ensure_ascii=False) + "\n"
        answer: web.Response = self._web.Response(
            text=text, status=status, content_type="application/json"
        )
        return answer

    # -- requests ----------------------------------------------------------------------------------

    async def _how(self, request: web.Request) -> web.Response:
        answer: web.Response = self._web.Response(text=HOW.format(url=self._url))
        return answer

    async def _list(self, request: web.Request) -> web.Response:
        tables = [
            {"table": name, "rows": rows, "columns": columns, "key": list(publisher.key)}
            for name, publisher in self._tables.items()
            for rows, columns in [publisher.shape]
        ]
        return self._answer(tables)

    async def _get(self, request: web.Request) -> web.StreamResponse:
        form = request.query.get("format", "json")
        if form not in WRITERS:
            raise _Wrong(400, f"format={form}: write one of {', '.join(WRITERS)}")
        publisher = self._there(request)
        kind, write = WRITERS[form]
        data = await asyncio.to_thread(lambda: write(publisher.snapshot()))
        answer: web.Response = self._web.Response(body=data, content_type=kind)
        return answer

    async def _put(self, request: web.Request) -> web.Response:
        def replace(publisher: Publisher, rows: Any) -> None:
            if not len(rows) and publisher.shape[1]:  # no rows: keep the columns
                rows = frame_of(publisher.snapshot()).iloc[:0]
            publisher.send(rows)

        return await self._change(request, "replaced", replace)

    async def _post(self, request: web.Request) -> web.Response:
        def add(publisher: Publisher, rows: Any) -> None:
            (publisher.upsert if publisher.key else publisher.append)(rows)

        return await self._change(request, "added", add)

    async def _change(
        self, request: web.Request, done: str, act: Callable[[Publisher, Any], None]
    ) -> web.Response:
        try:  # before the lock is made: a refused request leaves nothing behind
            name = check_name(request.match_info["name"])
        except BadName as error:
            raise _Wrong(400, str(error)) from None
        data = await self._body(request)
        rows = await asyncio.to_thread(table_of, data, request.headers.get("Content-Type", ""))
        # One after the other: in the order in which they came.
        async with self._locks.setdefault(name, asyncio.Lock()):
            new = name not in self._tables
            publisher = self._publisher(name, request) if new else self._tables[name]
            try:
                self._same_key(publisher, request)
                await asyncio.to_thread(act, publisher, rows)
            except BaseException:
                if new:
                    publisher.close()
                raise
            self._tables[name] = publisher
        change = {"table": name, done: len(rows), "rows": publisher.shape[0]}
        return self._answer(change, 201 if new else 200)

    async def _delete(self, request: web.Request) -> web.Response:
        publisher = self._there(request)
        data = await self._body(request)
        name = publisher.name
        async with self._locks[name]:
            if not data.strip():
                self._tables.pop(name, None)
                await asyncio.to_thread(publisher.close)
                return self._answer({"table": name, "removed": True})
            try:
                keys = json.loads(data)
            except ValueError:
                raise _Wrong(400, "write the keys as JSON: [1, 2]") from None
            keys = keys if isinstance(keys, list) else [keys]
            keys = [tuple(key) if isinstance(key, list) else key for key in keys]
            removed = await asyncio.to_thread(publisher.delete, keys)
        return self._answer({"table": name, "removed": removed, "rows": publisher.shape[0]})

    def _there(self, request: web.Request) -> Publisher:
        name = request.match_info["name"]
        if name not in self._tables:
            known = ", ".join(self._tables) or "none yet"
            raise _Wrong(404, f"no table {name!r}; tables: {known}")
        return self._tables[name]

    def _publisher(self, name: str, request: web.Request) -> Publisher:
        if len(self._tables) >= MAX_TABLES:
            raise _Wrong(409, f"can't make more than {MAX_TABLES} tables: DELETE one first")
        query = request.query
        key = query["key"].split(",") if "key" in query else self._key
        limit = _limit(query["limit"]) if "limit" in query else self._limit
        ttl = _ttl(query["ttl"]) if "ttl" in query else None
        try:
            return self._publish(name, key=key, limit=limit, ttl=ttl, is_further=True)
        except LivetableError as error:
            raise _Wrong(409 if "already" in str(error) else 400, str(error)) from None

    def _same_key(self, publisher: Publisher, request: web.Request) -> None:
        key = request.query.get("key")
        if key is not None and tuple(key.split(",")) != publisher.key:
            is_now = ",".join(map(str, publisher.key)) or "none"
            raise _Wrong(409, f"the table's key is {is_now}: to change it, DELETE the table first")


def _limit(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 18 and int(text) > 0:
        return int(text)
    raise _Wrong(400, f"limit={text:.40} is not a number of rows: write 1 or more")


def _ttl(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if math.isfinite(seconds) and seconds > 0:
        return seconds
    raise _Wrong(400, f"ttl={text:.40} is not a number of seconds: write more than 0")
