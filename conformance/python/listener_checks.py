"""What the public listener owes to any sender."""

import re
import secrets
from dataclasses import replace

from bodies import compact
from checks import Checks
from report import Report
from senders import Delivery, Sender
from wire import Exchange, Wire

WELL_FORMED = {
    "x-request-id": re.compile(r"^[A-Za-z0-9._:/+=-]{1,128}$"),
    "traceparent": re.compile(r"^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$"),
}


class ListenerChecks(Checks):
    """Sizes, bytes, routes, and the marks of a request."""

    def __init__(self, senders: dict[str, Sender], wire: Wire, report: Report, max_body_bytes: int):
        super().__init__(senders, wire, report)
        self._max_body_bytes = max_body_bytes

    def run(self) -> None:
        """All of them."""
        self._any_bytes()
        self._size_limit()
        self._damaged_compression()
        self._routes()
        self._early_answers()
        self._marks()

    def _any_bytes(self) -> None:
        """A raw source keeps what is no text at all."""
        body = bytes(range(256)) + secrets.token_bytes(64)
        delivery = self.senders["partner-raw"].deliver(body, "")
        binary = delivery.headers | {"content-type": "application/octet-stream"}
        self.accept("every byte there is", replace(delivery, headers=binary, event_type=None))

    def _size_limit(self) -> None:
        """Counted after decompression, however the body is framed."""
        self.accept("a body of exactly the limit", self._of_size(self._max_body_bytes))
        self.accept(
            "a compressed body of exactly the limit", self._of_size(self._max_body_bytes), encoding="gzip"
        )
        large = self._of_size(self._max_body_bytes + 1)
        self.problem("one byte more", 413, large)
        self.problem("one byte more, chunked", 413, large, chunked=True)
        self.problem("one byte more, compressed", 413, large, encoding="gzip")
        self.problem(
            "a compressed megabyte, chunked", 413, self._of_size(1 << 20), encoding="gzip", chunked=True
        )

    def _of_size(self, size: int) -> Delivery:
        stripe = self.senders["stripe"]
        event_id = stripe.new_id()
        body = compact(stripe.document(event_id))
        return stripe.deliver(body.ljust(size), event_id)

    def _damaged_compression(self) -> None:
        claimed = {"content-encoding": "gzip"}
        good = self.fresh("stripe")
        self.problem("plain text that claims to be gzip", 400, replace(good, headers=good.headers | claimed))
        self.problem("an encoding that nobody asked for", 415, good, encoding="br")

    def _routes(self) -> None:
        good = self.fresh("stripe")
        self.problem("a path without a source", 404, replace(good, path="/in/nobody"))
        self.problem("PUT instead of POST", 405, good, method="PUT")
        at_another = replace(good, path=self.senders["stripe-ruled"].path)
        self.refuse("signed for another source", at_another)

    def _early_answers(self) -> None:
        """Many clients send headers and body in two packets, and keep the connection for what comes next."""
        path, encoding = self.senders["stripe"].path, {"content-encoding": "br"}
        for what, faults in {
            "404": self.wire.early_answer_faults("/in/nobody", {}),
            "405": self.wire.early_answer_faults(path, {}, method="PUT"),
            "415": self.wire.early_answer_faults(path, encoding),
        }.items():
            self.report.check(f"listener: after {what} the connection goes on or is said to close", faults)

    def _marks(self) -> None:
        """Marks that are not well-formed are replaced by new ones and cost the event nothing."""
        for what, mark in {
            "a blank in x-request-id": {"x-request-id": "two words"},
            "an endless x-request-id": {"x-request-id": "x" * 200},
            "a traceparent of zeros": {"traceparent": f"00-{'0' * 32}-{'0' * 16}-01"},
            "a traceparent that is none": {"traceparent": "hello"},
        }.items():
            delivery = self.fresh("stripe")
            exchange = self.post(replace(delivery, headers=delivery.headers | mark))
            self.report.check(f"stripe: {what} is replaced", _replacement_faults(exchange, mark))
            self.report.accepted(f"stripe: {what} does not matter", delivery, _as_answered(exchange))


def _replacement_faults(exchange: Exchange, mark: dict[str, str]) -> list[str]:
    faults = []
    for name, sent in mark.items():
        answered = exchange.headers.get(name, "")
        if answered == sent or not WELL_FORMED[name].match(answered):
            faults.append(f"{name} is answered with {answered!r}")
    return faults


def _as_answered(exchange: Exchange) -> Exchange:
    """The exchange with the marks that the server chose for it."""
    parent = exchange.headers.get("traceparent", "").split("-")
    trace_id = parent[1] if len(parent) == 4 else ""
    return replace(exchange, request_id=exchange.headers.get("x-request-id", ""), trace_id=trace_id)
