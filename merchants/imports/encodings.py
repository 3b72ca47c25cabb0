"""Which encoding a text has that is no UTF-8, guessed from the lines that show it, and how to convert it."""

import re
from collections.abc import Iterable

SAMPLE = 64 * 1024

_HIGH_RUN = re.compile(rb"[\x80-\xff]+")


def recognise_utf16(head: bytes, name: str) -> str | None:
    """Say so where a file's beginning looks like UTF-16."""
    head = head[:2000].rstrip(b"\0")  # a hole in a file is no text of any kind
    found = None
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        found = "UTF-16LE" if head[0] == 0xFF else "UTF-16BE"
    elif head.count(b"\0") * 3 > len(head) > 0:
        found = "UTF-16LE" if head[1::2].count(b"\0") >= head[::2].count(b"\0") else "UTF-16BE"
    if found is None:
        return None
    return _convert(name, "UTF-16", "UTF-16" if head[0] in (0xFF, 0xFE) else found, line=1)


def describe_encoding(lines: Iterable[tuple[int, bytes]], name: str) -> str:
    """Say where the first of the lines is that is no UTF-8, and what it looks like instead."""
    first, sample, sound = 0, [], 0
    for number, content in lines:
        if content.isascii():
            continue
        try:
            content.decode()
        except UnicodeDecodeError as error:
            first = first or number
            sample.append(content)
            if len(sample) == 1:
                half = _is_half_a_character(content)
                byte = content[error.start]
            if sum(map(len, sample)) > SAMPLE:
                break
        else:
            sound += 1
    if not sample:
        return f"{name}: not UTF-8. Write it again as “CSV UTF-8”."
    if half:
        return (
            f"{name}, line {first}: half of a character (a lone surrogate), which UTF-8 doesn't know. "
            "Mend the line, or write the file again as UTF-8."
        )
    if sound > len(sample):
        return (
            f"{name}, line {first}: the byte 0x{byte:02X} is no UTF-8, while other lines are: this one is damaged. "
            "Mend it, or write the file again as UTF-8."
        )
    if _looks_like_gb18030(b"".join(sample)):
        return _convert(name, "GB18030 (GBK, GB2312)", "GB18030", line=first)
    return _convert(name, "Latin-1 (Windows-1252)", "WINDOWS-1252", line=first)


def _is_half_a_character(content: bytes) -> bool:
    try:
        content.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def _looks_like_gb18030(sample: bytes) -> bool:
    # A Chinese character is two high bytes; an accented letter of Latin-1 mostly stands alone.
    runs = [len(run) for run in _HIGH_RUN.findall(sample)]
    if sum(length % 2 == 0 for length in runs) * 2 < len(runs):
        return False
    try:
        text = sample.decode("gb18030")
    except UnicodeDecodeError:
        text = sample[: sample.rfind(b"\n")].decode("gb18030", errors="replace")
    return sum("一" <= char <= "鿿" for char in text) * 2 >= sum(ord(char) > 127 for char in text)


def _convert(name: str, found: str, code: str, *, line: int) -> str:
    return (
        f"{name}, line {line}: not UTF-8 but what looks like {found}. Convert it with "
        f"`iconv -f {code} -t UTF-8 {name} > utf8.csv`, or save it as “CSV UTF-8”."
    )
