"""What all groups of checks are made of."""

from bodies import compact
from report import Report
from senders import Delivery, Sender
from wire import Exchange, Wire


class Checks:
    """One group: it posts over one wire and writes into one report."""

    def __init__(self, senders: dict[str, Sender], wire: Wire, report: Report):
        self.senders = senders
        self.wire = wire
        self.report = report

    def fresh(self, source: str, **signing: object) -> Delivery:
        """A new event, signed."""
        sender = self.senders[source]
        event_id = sender.new_id()
        return sender.deliver(compact(sender.document(event_id)), event_id, **signing)

    def post(self, delivery: Delivery, **framing: object) -> Exchange:
        """Sends it as it is."""
        return self.wire.post(delivery.path, delivery.body, delivery.headers, **framing)

    def accept(self, what: str, delivery: Delivery, **framing: object) -> str | None:
        """Sends it and expects it to be stored."""
        return self.report.accepted(f"{delivery.source}: {what}", delivery, self.post(delivery, **framing))

    def duplicate(self, what: str, first_id: str | None, delivery: Delivery) -> None:
        """Sends it and expects it to be known under `first_id`."""
        self.report.duplicate(f"{delivery.source}: {what}", first_id, self.post(delivery))

    def refuse(self, what: str, delivery: Delivery) -> None:
        """Sends it and expects that its signature is not believed."""
        self.report.refused(f"{delivery.source}: {what}", self.post(delivery))

    def problem(self, what: str, status: int, delivery: Delivery, **framing: object) -> None:
        """Sends it and expects a problem of this status."""
        exchange = self.post(delivery, **framing)
        self.report.check(f"{delivery.source}: {what}: {status}", exchange.faults(status))
