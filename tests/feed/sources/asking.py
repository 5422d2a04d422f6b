"""Requests to the HTTP source."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from livetable.feed.sources import http


def options(source: str = "http://127.0.0.1:0", **more: Any) -> http.Options:
    return http.Options(source=source, **({"max_body": 1.0} | more))


def asked(
    url: str, method: str, path: str, body: Any = None, kind: str | None = None, **headers: str
) -> tuple[int, Any]:
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, headers, method=method)
    request.add_header("Content-Type", kind or "application/octet-stream")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            text = answer.read()
            is_json = answer.headers.get_content_type() == "application/json"
            return answer.status, json.loads(text) if is_json else text
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())["error"]


ROWS = [{"id": 1, "x": 1.5}, {"id": 2, "x": 2.5}]
