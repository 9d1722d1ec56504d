"""Reads back through the admin API what the clients say they were told is stored."""

import hashlib
import http.client
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from urllib.parse import urlencode

UUID_V7 = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
RECEIVED_AT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
MILLISECONDS = len("2025-01-01T00:00:00.000")
PAGE = 37
SHOWN_FAULTS = 5


class Api:
    """The admin listener."""

    def __init__(self, address: str, token: str):
        self._connection = http.client.HTTPConnection(address, timeout=30)
        self._token = token

    def get(self, path: str, token: str | None = None) -> tuple[int, dict[str, str], bytes]:
        """Status, headers (names in lower case) and body; an empty `token` sends none."""
        token = self._token if token is None else token
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self._connection.request("GET", path, headers=headers)
        response = self._connection.getresponse()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()

    def pages(self, **filters: str) -> Iterator[list[dict]]:
        """All pages of a list, from the newest event to the oldest."""
        cursor = None
        while True:
            query = {"limit": PAGE, **filters} | ({"cursor": cursor} if cursor else {})
            status, _, body = self.get(f"/v1/events?{urlencode(query)}")
            if status != 200:
                raise AssertionError(f"a page of {filters} was answered with {status}: {body!r}")
            page = json.loads(body)
            yield page["data"]
            cursor = page["next_cursor"]
            if cursor is None:
                return


class Audit:
    """Compares the store with the clients' ledgers, one line for each check."""

    def __init__(self, api: Api, ledgers: list[dict]):
        self._api = api
        self._accepted = [entry for ledger in ledgers for entry in ledger["accepted"]]
        self._quarantined = Counter()
        for ledger in ledgers:
            self._quarantined.update(ledger["quarantined"])
        self.passed = 0
        self.failed = 0

    def run(self) -> None:
        """All checks."""
        self._check("admin: every route but the probes demands the token", self._token_faults())
        self._check("admin: unknown ids, cursors and parameters are problems", self._problem_faults())
        by_source = defaultdict(list)
        for entry in self._accepted:
            by_source[entry["source"]].append(entry)
        for source, entries in by_source.items():
            faults = [fault for entry in entries for fault in self._event_faults(entry)]
            self._check(f"{source}: {len(entries)} events read back as they were sent", faults)
        self._check_lists(by_source)

    def _check_lists(self, by_source: dict[str, list[dict]]) -> None:
        expected = [entry["id"] for entry in self._accepted]
        faults = self._list_faults(expected, status="accepted")
        self._check(f"list: pages of {PAGE} hold each of {len(expected)} accepted events once", faults)
        for source, entries in by_source.items():
            ids = [entry["id"] for entry in entries]
            faults = self._list_faults(ids, status="accepted", source=source)
            self._check(f"list: source={source} holds its {len(ids)} events once", faults)
        self._check(f"list: {self._quarantined.total()} events in quarantine", self._quarantine_faults())

    def _check(self, name: str, faults: list[str]) -> None:
        if not faults:
            self.passed += 1
            print(f"ok    audit  {name}")
            return
        self.failed += 1
        print(f"FAIL  audit  {name}")
        for fault in faults[:SHOWN_FAULTS]:
            print(f"        {fault}")
        if len(faults) > SHOWN_FAULTS:
            print(f"        and {len(faults) - SHOWN_FAULTS} more")

    def _token_faults(self) -> list[str]:
        event = f"/v1/events/{self._accepted[0]['id']}" if self._accepted else "/v1/events"
        faults = []
        for path in ["/v1/events", event, f"{event}/raw", "/metrics"]:
            for token in ["", "wrong"]:
                status, headers, body = self._api.get(path, token)
                faults += problem_faults(f"{path} with token {token!r}", 401, status, headers, body)
        for path in ["/healthz", "/readyz"]:
            status, _, _ = self._api.get(path, "")
            faults += [] if status == 200 else [f"{path} without a token: {status}, expected 200"]
        return faults

    def _problem_faults(self) -> list[str]:
        faults = []
        for path, expected in [
            ("/v1/events/01890000-0000-7000-8000-000000000000", 404),
            ("/v1/events/nonsense", 400),
            ("/v1/events?cursor=nonsense", 400),
            ("/v1/events?limit=0", 400),
            ("/v1/events?surprise=1", 400),
            ("/v1/nothing", 404),
        ]:
            status, headers, body = self._api.get(path)
            faults += problem_faults(path, expected, status, headers, body)
        return faults

    def _event_faults(self, entry: dict) -> list[str]:
        path = f"/v1/events/{entry['id']}"
        status, _, body = self._api.get(path)
        if status != 200:
            return [f"{path}: {status}: {body!r}"]
        event = json.loads(body)
        faults = [
            f"{path}: {member} is {event.get(member)!r}, expected {entry[member]!r}"
            for member in ["id", "source", "type", "external_id", "trace_id"]
            if event.get(member) != entry[member]
        ]
        faults += [f"{path}: {fault}" for fault in _shape_faults(event)]
        faults += [f"{path}: {fault}" for fault in _record_faults(event.get("record"), entry["record"])]
        return faults + self._raw_faults(path, entry)

    def _raw_faults(self, path: str, entry: dict) -> list[str]:
        status, _, body = self._api.get(f"{path}/raw")
        digest = hashlib.sha256(body).hexdigest()
        if status == 200 and digest == entry["sha256"]:
            return []
        return [f"{path}/raw: {status}, sha256 {digest}, expected 200 and {entry['sha256']}"]

    def _list_faults(self, expected: list[str], **filters: str) -> list[str]:
        events = [event for page in self._api.pages(**filters) for event in page]
        counts = Counter(event["id"] for event in events)
        faults = [f"{id} is listed {count} times" for id, count in counts.items() if count > 1]
        faults += [f"{id} is not listed" for id in set(expected) - counts.keys()]
        faults += [f"{id} is listed and nobody was told of it" for id in counts.keys() - set(expected)]
        # Ids are ordered by their millisecond, so within one the order is free.
        times = [event["received_at"][:MILLISECONDS] for event in events]
        return faults + ([] if times == sorted(times, reverse=True) else ["the list is not newest first"])

    def _quarantine_faults(self) -> list[str]:
        events = [event for page in self._api.pages(status="quarantined") for event in page]
        listed = Counter(event["source"] for event in events)
        faults = [] if listed == self._quarantined else [f"listed {listed}, expected {self._quarantined}"]
        return faults + [f"{event['id']} has no reasons" for event in events if not event.get("errors")]


def problem_faults(what: str, expected: int, status: int, headers: dict, body: bytes) -> list[str]:
    """What keeps an answer from being the RFC 9457 problem that the contract promises."""
    if status != expected:
        return [f"{what}: {status}, expected {expected}"]
    if headers.get("content-type") != "application/problem+json":
        return [f"{what}: content-type is {headers.get('content-type')}"]
    problem = json.loads(body)
    faults = [f"{what}: no {member}" for member in ["type", "title", "detail"] if not problem.get(member)]
    if problem.get("status") != expected:
        faults.append(f"{what}: the body says status {problem.get('status')}")
    if problem.get("request_id") != headers.get("x-request-id"):
        faults.append(f"{what}: request_id {problem.get('request_id')} is not x-request-id")
    return faults


def _shape_faults(event: dict) -> list[str]:
    faults = []
    if not UUID_V7.match(event["id"]):
        faults.append("the id is no UUIDv7")
    if not RECEIVED_AT.match(event["received_at"]):
        faults.append(f"received_at is {event['received_at']}")
    if event["status"] != "accepted":
        faults.append(f"status is {event['status']}")
    if not isinstance(event["deliveries"], list):
        faults.append("deliveries is no list")
    return faults


def _record_faults(record: dict | None, expected: dict | None) -> list[str]:
    """Without rules there is no record; with rules it holds at least what is expected of it."""
    if expected is None or record is None:
        return [] if record is expected else [f"record is {record!r}, expected {expected!r}"]
    return [
        f"record.{name} is {record.get(name)!r}, expected {value!r}"
        for name, value in expected.items()
        if record.get(name) != value
    ]
