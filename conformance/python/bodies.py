"""The same event in every spelling of JSON that a sender may choose: the signature is over the bytes."""

import json
import re
from collections.abc import Callable

TEXT = "Grüße aus Köln, 東京 and Ελλάδα: 100 % €/£ \U0001f30a"
UNUSUAL_NUMBERS = "[1.50, 1E+2, -0.0, 0.1e-7, 12345678901234567890123456789]"
UNUSUAL_STRINGS = r'{"":"\u0000\ud83d\ude00","\u0061\/b":"\b\f\n\r\t\"\\"}'


def compact(document: dict) -> bytes:
    """Without any white space, everything beyond ASCII as UTF-8."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _escaped(document: dict) -> bytes:
    return json.dumps(document, ensure_ascii=True).encode()


def _upper_case_escapes(document: dict) -> bytes:
    text = json.dumps(document, ensure_ascii=True).replace("/", "\\/")
    return re.sub(r"\\u[0-9a-f]{4}", lambda match: "\\u" + match[0][2:].upper(), text).encode()


def _windows_lines(document: dict) -> bytes:
    text = json.dumps(document, ensure_ascii=False, indent="\t")
    return (text.replace("\n", "\r\n") + "\r\n\r\n").encode()


def _spacious(document: dict) -> bytes:
    text = json.dumps(document, ensure_ascii=False, separators=(" \n , ", "\t:  "))
    return f" \t\r\n{text}   \n".encode()


def _with_member(text: str) -> Callable[[dict], bytes]:
    return lambda document: compact(document)[:-1] + f',"unusual":{text}}}'.encode()


SPELLINGS: dict[str, Callable[[dict], bytes]] = {
    "beyond ASCII as escapes": _escaped,
    "capital hex and escaped slashes": _upper_case_escapes,
    "tabs, CRLF and empty lines at the end": _windows_lines,
    "white space wherever it may stand": _spacious,
    "unusual numbers": _with_member(UNUSUAL_NUMBERS),
    "unusual strings": _with_member(UNUSUAL_STRINGS),
}
