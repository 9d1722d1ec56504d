"""HTTP as a provider speaks it, and what every answer must have."""

import gzip
import http.client
import json
import secrets
import zlib
from dataclasses import dataclass

TIMEOUT_S = 30
CHUNK_BYTES = 61
NO_ANSWER = 0
REPLY_TO = {200: "application/json"}
PROBLEM = "application/problem+json"
PROBLEM_MEMBERS = ["type", "title", "detail"]


@dataclass(frozen=True)
class Exchange:
    """A request's own marks and the answer to it."""

    request_id: str
    trace_id: str
    span_id: str
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict:
        """The answer's JSON object; empty if it is none."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    def faults(self, status: int) -> list[str]:
        """What is wrong with an answer that should have this status, whatever it is about."""
        if self.status == NO_ANSWER:
            return [f"no answer: {self.body.decode()}"]
        if self.status != status:
            return [f"{self.status}, expected {status}: {self.body[:500]!r}"]
        faults = self._mark_faults()
        media_type = REPLY_TO.get(status, PROBLEM)
        if self.headers.get("content-type") != media_type:
            faults.append(f"content-type is {self.headers.get('content-type')}, expected {media_type}")
        return faults + (self._problem_faults() if media_type == PROBLEM else [])

    def _mark_faults(self) -> list[str]:
        faults = []
        if self.headers.get("x-request-id") != self.request_id:
            faults.append(f"x-request-id is {self.headers.get('x-request-id')}, sent was {self.request_id}")
        parts = self.headers.get("traceparent", "").split("-")
        if len(parts) != 4 or parts[1] != self.trace_id:
            faults.append(f"traceparent {'-'.join(parts)} does not continue the trace {self.trace_id}")
        elif parts[2] == self.span_id:
            faults.append("traceparent has the caller's span instead of one of its own")
        return faults

    def _problem_faults(self) -> list[str]:
        problem = self.json()
        faults = [f"the problem has no {member}" for member in PROBLEM_MEMBERS if not problem.get(member)]
        if problem.get("status") != self.status:
            faults.append(f"the problem says status {problem.get('status')}")
        if problem.get("request_id") != self.request_id:
            faults.append(f"the problem says request_id {problem.get('request_id')}")
        return faults


class Wire:
    """One connection to the public listener, kept open between requests."""

    def __init__(self, address: str):
        self.address = address
        self._connection = http.client.HTTPConnection(address, timeout=TIMEOUT_S)

    def post(
        self,
        path: str,
        body: bytes,
        headers: dict[str, str],
        *,
        encoding: str | None = None,
        chunked: bool = False,
        method: str = "POST",
    ) -> Exchange:
        """Sends `body`, compressed and in small chunks if asked to, with marks of its own."""
        marks = (f"conf-{secrets.token_hex(8)}", secrets.token_hex(16), secrets.token_hex(8))
        request_id, trace_id, span_id = marks
        sent = {
            "content-type": "application/json",
            "user-agent": "tidegate-conformance",
            "x-request-id": request_id,
            "traceparent": f"00-{trace_id}-{span_id}-01",
            **headers,
        }
        content = _encoded(body, encoding)
        if encoding:
            sent["content-encoding"] = encoding
        if chunked:
            sent["transfer-encoding"] = "chunked"
            content = _chunks(content)
        try:
            return Exchange(*marks, *self._answer_to(method, path, content, sent))
        except (OSError, http.client.HTTPException) as error:
            # A connection that breaks is a finding about this request, not the end of the others.
            self._connection.close()
            return Exchange(*marks, NO_ANSWER, {}, repr(error).encode())

    def _answer_to(self, method: str, path: str, content: object, headers: dict[str, str]) -> tuple:
        chunked = "transfer-encoding" in headers
        self._connection.request(method, path, content, headers, encode_chunked=chunked)
        response = self._connection.getresponse()
        received = {name.lower(): value for name, value in response.getheaders()}
        return response.status, received, response.read()

    def early_answer_faults(self, path: str, headers: dict[str, str], method: str = "POST") -> list[str]:
        """Sends headers, waits for the refusal, and only then sends the body and a second request.

        A server that does not want the rest of a request either reads it all the same or says
        `connection: close`. If it does neither, the sender's next event fails on a dead connection.
        """
        connection = http.client.HTTPConnection(self.address, timeout=TIMEOUT_S)
        body = b"{}"
        try:
            connection.putrequest(method, path)
            for name, value in {"content-length": str(len(body)), **headers}.items():
                connection.putheader(name, value)
            connection.endheaders()
            response = connection.getresponse()
            response.read()
            if response.getheader("connection", "").lower() == "close":
                return []
            connection.sock.sendall(body)
            connection.request("POST", path, body)
            connection.getresponse().read()
        except (OSError, http.client.HTTPException) as error:
            return [f"closed without a word after the answer: {error!r}"]
        finally:
            connection.close()
        return []


def _encoded(body: bytes, encoding: str | None) -> bytes:
    match encoding:
        case "gzip":
            return gzip.compress(body)
        case "deflate":
            return zlib.compress(body)
        case _:
            return body


def _chunks(content: bytes):
    """Small for small bodies, so that a frame's end falls within a UTF-8 sequence; larger for large ones."""
    size = max(CHUNK_BYTES, len(content) // 256)
    return (content[at : at + size] for at in range(0, len(content), size))
