"""Counts checks, prints one line for each, and keeps the ledger of what must be stored."""

import hashlib
import json
import re
from collections import Counter
from pathlib import Path

from senders import Delivery
from wire import Exchange

UUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")


class Report:
    """One client's checks and ledger."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0
        self._accepted: list[dict] = []
        self._quarantined: Counter[str] = Counter()

    def check(self, name: str, faults: list[str]) -> bool:
        """Prints one line, and one more for each fault."""
        if faults:
            self.failed += 1
            print(f"FAIL  python  {name}")
            for fault in faults:
                print(f"        {fault}")
            return False
        self.passed += 1
        print(f"ok    python  {name}")
        return True

    def accepted(self, name: str, delivery: Delivery, exchange: Exchange) -> str | None:
        """A 200 `accepted`; returns the event's id and remembers what the store must hold."""
        answer = exchange.json()
        faults = exchange.faults(200) or _word_faults(answer, "accepted")
        if not faults:
            self._accepted.append(_entry(delivery, exchange, answer["id"]))
        return answer["id"] if self.check(name, faults) else None

    def duplicate(self, name: str, first_id: str | None, exchange: Exchange) -> None:
        """A 200 `duplicate` that names the first event."""
        answer = exchange.json()
        faults = exchange.faults(200) or _word_faults(answer, "duplicate")
        if not faults and answer["id"] != first_id:
            faults = [f"id is {answer['id']}, the first one was {first_id}"]
        self.check(name, faults)

    def refused(self, name: str, exchange: Exchange) -> None:
        """A 401 that does not say which part failed."""
        faults = exchange.faults(401)
        telling = {"stale", "timestamp", "expired", "mismatch", "missing"}
        faults += [f"the answer says `{word}`" for word in telling if word in exchange.body.decode().lower()]
        self.check(name, faults)

    def quarantined(self, source: str, count: int = 1) -> None:
        """Remembers that so many events of `source` must be in quarantine."""
        self._quarantined[source] += count

    def write_ledger(self, path: Path) -> None:
        """For the audit: what must be in the store."""
        ledger = {"accepted": self._accepted, "quarantined": self._quarantined}
        path.write_text(json.dumps(ledger))


def _word_faults(answer: dict, word: str) -> list[str]:
    if answer.get("status") != word:
        return [f"status is {answer.get('status')!r}, expected {word!r}"]
    if not UUID.match(str(answer.get("id"))):
        return [f"id is {answer.get('id')!r}"]
    return []


def _entry(delivery: Delivery, exchange: Exchange, event_id: str) -> dict:
    return {
        "id": event_id,
        "source": delivery.source,
        "type": delivery.event_type,
        "external_id": delivery.external_id,
        "sha256": hashlib.sha256(delivery.body).hexdigest(),
        "trace_id": exchange.trace_id,
        "record": delivery.record,
    }
