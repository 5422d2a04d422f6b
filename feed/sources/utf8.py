"""Converts bytes of any encoding to UTF-8, piece by piece."""

from __future__ import annotations

import codecs
from typing import Final

from livetable.feed.errors import LivetableError

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte-order marks and their encodings. UTF-32 first: its mark begins with that of UTF-16."""

_LONGEST_MARK: Final = 4


class NotText(LivetableError):
    """Bytes that are not text, or not in the named encoding."""


_SIGNATURES: Final = (
    (b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"\xfd7zXZ", "xz"), (b"BZh", "bzip2"),
    (b"PK\x03\x04", "zip"), (b"SQLite format 3", "SQLite"), (b"PAR1", "Parquet"),
    (b"ARROW1", "Arrow"), (b"\x7fELF", "a program"), (b"%PDF", "PDF"), (b"\x89PNG", "PNG"),
)  # fmt: skip
_CHECKED_BYTES: Final = 4096


def check_text(data: bytes) -> None:
    """Check by their first bytes that data is text.

    Raises:
        NotText: it is not; the sentence names the format if it is a common one.
    """
    for mark, name in _SIGNATURES:
        if data.startswith(mark):
            raise NotText(f"is not text, but {name}: unpack or convert it first")
    if b"\0" in data[:_CHECKED_BYTES]:
        raise NotText("is not text: it has NUL bytes. For UTF-16 add --encoding utf-16-le")


class Utf8:
    """Converts pieces of bytes to UTF-8.

    If no encoding is named, the byte-order mark decides; without a mark it is UTF-8. Lines that are
    not valid UTF-8 are read as Latin-1, in which all bytes are valid.

    Args:
        encoding: The encoding's name, None to detect it.
    """

    def __init__(self, encoding: str | None) -> None:
        self._encoding = encoding
        self._started = False
        self.encoding: str | None = encoding
        """The name of the encoding, as given or from the byte-order mark."""
        self._decoder: codecs.IncrementalDecoder | None = None
        self._rest = b""
        self._line = 1
        self.as_latin1: int | None = None
        """The number of the first line that is not UTF-8, None if all are."""

    def add(self, data: bytes, *, last: bool = False) -> bytes:
        """Return data as UTF-8. Keeps the bytes of an incomplete character for the next call.

        Args:
            data: The next piece.
            last: Whether it is the last piece.
        """
        if not self._started:
            data = self._rest + data
            self._rest = b""
            if len(data) < _LONGEST_MARK and not last and self._may_be_mark(data):
                self._rest = data
                return b""
            data = self._start(data)
        if self._decoder is not None:
            try:
                return self._decoder.decode(data, last).encode("utf-8", "replace")
            except UnicodeError:
                raise NotText(
                    f"has no byte-order mark: name {self._encoding}-le or {self._encoding}-be"
                ) from None
        return self._checked(data, last)

    @property
    def pending(self) -> bytes:
        """The bytes kept for the next call, as UTF-8 if no more data follows."""
        if self._decoder is not None or not self._started:
            return b""
        return self._rest.decode("latin-1").encode()

    def in_original_encoding(self, text: bytes) -> bytes:
        """Return the last text of `add` and the bytes it has kept, in the original encoding."""
        if self._decoder is None:
            return text + self._rest
        original = text.decode("utf-8", "replace").encode(self.encoding or "utf-8", "replace")
        return original + self._decoder.getstate()[0]

    def _may_be_mark(self, data: bytes) -> bool:
        return any(mark.startswith(data[: len(mark)]) for mark, _ in _MARKS)

    def _start(self, data: bytes) -> bytes:
        self._started = True
        named = self._encoding
        plain = named is None or codecs.lookup(named).name in ("utf-8", "utf-8-sig")
        for mark, encoding in _MARKS:
            if data.startswith(mark) and (plain or _is_of(named or "", encoding)):
                self.encoding = named = encoding
                data = data[len(mark) :]
                break
        if named is None or codecs.lookup(named).name in ("utf-8", "utf-8-sig"):
            check_text(data)
        else:
            self._decoder = codecs.getincrementaldecoder(named)("replace")
        return data

    def _checked(self, data: bytes, last: bool) -> bytes:
        if self._rest:
            data, self._rest = self._rest + data, b""
        if not data.isascii():
            try:
                data.decode()
            except UnicodeDecodeError as error:
                # Cut inside a character: the next piece has the rest of it.
                if error.end == len(data) and "end of data" in error.reason and not last:
                    data, self._rest = data[: error.start], data[error.start :]
                else:
                    data = self._by_line(data, last)
        self._line += data.count(b"\n")
        return data

    def _by_line(self, data: bytes, last: bool) -> bytes:
        lines = data.split(b"\n")
        for number, line in enumerate(lines):
            if line.isascii():
                continue
            try:
                line.decode()
            except UnicodeDecodeError as error:
                cut = error.end == len(line) and "end of data" in error.reason
                if cut and number == len(lines) - 1 and not last:
                    self._rest = line[error.start :]
                    lines[number] = line[: error.start]
                    continue
                if self.as_latin1 is None:
                    self.as_latin1 = self._line + number
                lines[number] = line.decode("latin-1").encode()
        return b"\n".join(lines)


def _is_of(named: str, encoding: str) -> bool:
    """Tell whether a mark's encoding is the named one, with a byte order."""
    return codecs.lookup(encoding).name.startswith(codecs.lookup(named).name)
