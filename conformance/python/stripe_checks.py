"""What only Stripe does, and what is checked with Stripe because its bodies have ids and rules."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from bodies import compact
from checks import Checks
from senders import Delivery, stripe_file
from wire import Wire

AT_THE_SAME_MOMENT = 12


class StripeChecks(Checks):
    """Lists of signatures, duplicates of all kinds, rules, and the payload files."""

    def run(self, payloads: list[Path]) -> None:
        """All of them."""
        self._signature_lists()
        self._unbelieved_scheme()
        self._conflict()
        self._race()
        self._rules()
        for file in payloads:
            delivery = stripe_file(self.senders["stripe-ruled"], file.read_bytes())
            self.accept(f"payload {file.name}", delivery)

    def _signature_lists(self) -> None:
        """While a secret is rolled, Stripe signs with both and lists one `v1` for each."""
        stripe = self.senders["stripe"]
        old, new = stripe.secrets
        stranger = stripe.wrong_secret
        self.accept("two v1 signatures, both ours", self._signed_by(old, new))
        self.accept("two v1 signatures, the second is ours", self._signed_by(stranger, new))
        self.accept("two v1 signatures, the first is ours", self._signed_by(old, stranger))
        self.refuse("two v1 signatures, none ours", self._signed_by(stranger, stranger))

    def _signed_by(self, *secrets: str) -> Delivery:
        stripe, at = self.senders["stripe"], int(time.time())
        delivery = self.fresh("stripe", at=at)
        headers = [stripe.headers(delivery.body, "", secret, at)["stripe-signature"] for secret in secrets]
        signatures = [header.removeprefix(f"t={at},") for header in headers]
        return _with_signature(delivery, ",".join([f"t={at}", *signatures]))

    def _unbelieved_scheme(self) -> None:
        good = self.fresh("stripe")
        header = good.headers["stripe-signature"]
        self.refuse("our signature under the name v0", _with_signature(good, header.replace("v1=", "v0=")))
        self.accept("a v0 signature beside ours", _with_signature(good, f"{header},v0={'0' * 64}"))

    def _conflict(self) -> None:
        """The same id over another body: the first one counts and the second one is set aside."""
        stripe = self.senders["stripe"]
        event_id = stripe.new_id()
        document = stripe.document(event_id)
        stored = self.accept("an event whose id comes again", stripe.deliver(compact(document), event_id))
        document["data"]["object"]["amount"] = 1
        other = stripe.deliver(compact(document), event_id)
        self.duplicate("the same id over another body", stored, other)
        self.report.quarantined("stripe")

    def _race(self) -> None:
        """One event over many connections at the same moment is stored once."""
        delivery = self.fresh("stripe")
        wires = [Wire(self.wire.address) for _ in range(AT_THE_SAME_MOMENT)]
        with ThreadPoolExecutor(AT_THE_SAME_MOMENT) as pool:
            running = [
                pool.submit(wire.post, delivery.path, delivery.body, delivery.headers) for wire in wires
            ]
            exchanges = [future.result() for future in running]
        first, *others = sorted(exchanges, key=lambda e: e.json().get("status") != "accepted")
        stored = self.report.accepted("stripe: one of many at the same moment", delivery, first)
        for exchange in others:
            self.report.duplicate("stripe: another one at the same moment", stored, exchange)

    def _rules(self) -> None:
        stripe = self.senders["stripe-ruled"]
        event_id = stripe.new_id()
        document = stripe.document(event_id)
        broken = document | {"created": -1, "livemode": "no"}
        exchange = self.post(stripe.deliver(compact(broken), event_id))
        faults = exchange.faults(422) or _error_faults(exchange.json(), ["/created", "/livemode"])
        self.report.check("stripe-ruled: against the rules: 422 that points at both fields", faults)
        self.report.quarantined("stripe-ruled")
        self.accept("the same id within the rules afterwards", stripe.deliver(compact(document), event_id))


def _with_signature(delivery: Delivery, header: str) -> Delivery:
    return replace(delivery, headers=delivery.headers | {"stripe-signature": header})


def _error_faults(problem: dict, pointers: list[str]) -> list[str]:
    errors = problem.get("errors", [])
    faults = [f"an error without {part}" for e in errors for part in ("message", "code") if not e.get(part)]
    found = sorted(error.get("pointer") for error in errors)
    return faults if found == pointers else [*faults, f"errors point at {found}, expected {pointers}"]
