"""What holds for every provider."""

import time
from dataclasses import replace

from bodies import SPELLINGS, compact
from checks import Checks
from senders import Delivery, Sender

# Both are well away from the limit of 300 s, so that a slow machine does not change the outcome.
WITHIN_TOLERANCE_S = 200
BEYOND_TOLERANCE_S = 400


class CommonChecks(Checks):
    """Asked of each sender."""

    def run(self) -> None:
        """All of them."""
        for sender in self.senders.values():
            self._accepted_once(sender)
            self._forgeries(sender)
            self._rotation(sender)
            if sender.has_timestamp:
                self._times(sender)
            self._spellings(sender)
            self._framings(sender)
            if sender.takes_json_only:
                self._malformed(sender)

    def _accepted_once(self, sender: Sender) -> None:
        event_id = sender.new_id()
        body = compact(sender.document(event_id))
        delivery = sender.deliver(body, event_id)
        stored = self.accept("a signed event", delivery)
        self.duplicate("the same request again", stored, delivery)
        signed_anew = sender.deliver(body, event_id, sender.secrets[1])
        self.duplicate("the same event, signed anew", stored, signed_anew)

    def _forgeries(self, sender: Sender) -> None:
        good = self.fresh(sender.name)
        self.refuse("one blank more at the end", replace(good, body=good.body + b" "))
        self.refuse("one letter changed", replace(good, body=good.body.replace(b"K", b"k", 1)))
        self.refuse("an empty body under another body's signature", replace(good, body=b""))
        self.refuse("a stranger's secret", self.fresh(sender.name, secret=sender.wrong_secret))
        unsigned = {k: v for k, v in good.headers.items() if k != sender.signature_header}
        self.refuse("no signature", replace(good, headers=unsigned))
        self.refuse("an empty signature", replace(good, headers=unsigned | {sender.signature_header: ""}))
        self.accept("the untouched request after all these", good)

    def _rotation(self, sender: Sender) -> None:
        for number, secret in enumerate(sender.secrets, 1):
            self.accept(f"configured secret {number}", self.fresh(sender.name, secret=secret))

    def _times(self, sender: Sender) -> None:
        now = int(time.time())
        old = self.fresh(sender.name, at=now - BEYOND_TOLERANCE_S)
        self.refuse("signed too long ago", old)
        self.refuse("an old signature under a new time", _renewed(old, now - BEYOND_TOLERANCE_S, now))
        self.refuse("signed too far in the future", self.fresh(sender.name, at=now + BEYOND_TOLERANCE_S))
        self.accept("signed a while ago", self.fresh(sender.name, at=now - WITHIN_TOLERANCE_S))
        self.accept("signed by a clock ahead", self.fresh(sender.name, at=now + WITHIN_TOLERANCE_S))

    def _spellings(self, sender: Sender) -> None:
        for what, spell in SPELLINGS.items():
            event_id = sender.new_id()
            self.accept(f"JSON with {what}", sender.deliver(spell(sender.document(event_id)), event_id))

    def _framings(self, sender: Sender) -> None:
        self.accept("chunked", self.fresh(sender.name), chunked=True)
        self.accept("gzip, signed before", self.fresh(sender.name), encoding="gzip")
        self.accept("deflate, signed before", self.fresh(sender.name), encoding="deflate")
        self.accept("gzip in chunks", self.fresh(sender.name), encoding="gzip", chunked=True)

    def _malformed(self, sender: Sender) -> None:
        delivery = sender.deliver(b'{"not": json', sender.new_id())
        self.problem("authentic, but no JSON", 400, delivery)
        self.report.quarantined(sender.name)


def _renewed(delivery: Delivery, old: int, new: int) -> Delivery:
    """Claims another time without signing again."""
    headers = {name: value.replace(str(old), str(new)) for name, value in delivery.headers.items()}
    return replace(delivery, headers=headers)
