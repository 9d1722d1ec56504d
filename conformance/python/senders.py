"""How each provider makes a request: its document, its headers and, by its SDK, its signature.

Each sender signs with the official SDK where one signs, and has the SDK's own verifier judge the
result before anything is sent, so that a refusal by the server cannot be the sender's mistake.
"""

import base64
import hashlib
import hmac
import json
import secrets
import time
import uuid
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from slack_sdk.signature import Clock, SignatureVerifier
from standardwebhooks import Webhook
from stripe import WebhookSignature

from bodies import TEXT


@dataclass(frozen=True)
class Delivery:
    """A signed request and what the server should find in it."""

    source: str
    path: str
    body: bytes
    headers: dict[str, str]
    external_id: str | None
    event_type: str | None
    record: dict | None = None


class Sender(ABC):
    """One provider sending to one source."""

    signature_header: str
    event_type: str
    has_timestamp = True
    takes_json_only = True

    def __init__(self, name: str, source: dict):
        self.name = name
        self.path: str = source["path"]
        self.secrets: list[str] = source["secrets"]
        self.wrong_secret: str = source["wrong_secret"]
        self.ruled: bool = source["ruled"]

    @abstractmethod
    def new_id(self) -> str:
        """An id as the provider makes them."""

    @abstractmethod
    def document(self, event_id: str) -> dict:
        """An event as the provider shapes them."""

    @abstractmethod
    def headers(self, body: bytes, event_id: str, secret: str, at: int) -> dict[str, str]:
        """All headers that are the provider's own, the signature among them."""

    def external_id(self, body: bytes, event_id: str) -> str | None:
        """What the server should take for the event's id."""
        return event_id

    def record(self, event_id: str) -> dict | None:
        """What the rules of the source must have made of the event, if it has rules."""
        return None

    def deliver(
        self, body: bytes, event_id: str, secret: str | None = None, at: int | None = None
    ) -> Delivery:
        """Signs `body`, by default with the newest secret and now."""
        at = int(time.time()) if at is None else at
        return Delivery(
            source=self.name,
            path=self.path,
            body=body,
            headers=self.headers(body, event_id, secret or self.secrets[0], at),
            external_id=self.external_id(body, event_id),
            event_type=self.event_type,
            record=self.record(event_id),
        )


class Stripe(Sender):
    """PyPI `stripe`."""

    signature_header = "stripe-signature"
    event_type = "charge.succeeded"

    def new_id(self) -> str:
        return f"evt_{secrets.token_hex(12)}"

    def document(self, event_id: str) -> dict:
        charge = {
            "id": f"ch_{secrets.token_hex(12)}",
            "object": "charge",
            "amount": 1099,
            "currency": "eur",
            "status": "succeeded",
            "description": TEXT,
        }
        return {
            "id": event_id,
            "object": "event",
            "created": int(time.time()),
            "livemode": False,
            "type": self.event_type,
            "data": {"object": charge},
        }

    def headers(self, body: bytes, event_id: str, secret: str, at: int) -> dict[str, str]:
        header = WebhookSignature.generate_signature_header(body.decode(), secret, timestamp=at)
        WebhookSignature.verify_header(body, header, secret)
        return {"stripe-signature": header}

    def record(self, event_id: str) -> dict | None:
        expected = {"event_id": event_id, "type": self.event_type, "resource": "charge", "currency": "EUR"}
        return expected if self.ruled else None


class StandardWebhooks(Sender):
    """PyPI `standardwebhooks`, which signs `v1`."""

    signature_header = "webhook-signature"
    event_type = "invoice.paid"

    def new_id(self) -> str:
        return f"msg_{secrets.token_urlsafe(18)}"

    def document(self, event_id: str) -> dict:
        timestamp = datetime.now(UTC).isoformat()
        return {"type": self.event_type, "timestamp": timestamp, "data": {"note": TEXT}}

    def headers(self, body: bytes, event_id: str, secret: str, at: int) -> dict[str, str]:
        signature = self.signature(body, event_id, secret, at)
        return {"webhook-id": event_id, "webhook-timestamp": str(at), "webhook-signature": signature}

    def signature(self, body: bytes, event_id: str, secret: str, at: int) -> str:
        """One entry of `webhook-signature`."""
        return Webhook(secret).sign(event_id, datetime.fromtimestamp(at, UTC), body.decode())


class StandardWebhooksV1a(StandardWebhooks):
    """Ed25519 by the specification's text, since no official SDK signs `v1a`."""

    def signature(self, body: bytes, event_id: str, secret: str, at: int) -> str:
        pair = base64.b64decode(secret.removeprefix("whsk_"))
        key = Ed25519PrivateKey.from_private_bytes(pair[:32])
        content = b".".join([event_id.encode(), str(at).encode(), body])
        return "v1a," + base64.b64encode(key.sign(content)).decode()


class Slack(Sender):
    """PyPI `slack_sdk`."""

    signature_header = "x-slack-signature"
    event_type = "app_mention"

    def new_id(self) -> str:
        return f"Ev{secrets.token_hex(5).upper()}"

    def document(self, event_id: str) -> dict:
        event = {"type": self.event_type, "user": "U061F7AUR", "text": TEXT, "ts": "1763790222.000100"}
        return {
            "type": "event_callback",
            "team_id": "T061EG9R6",
            "event_id": event_id,
            "event_time": int(time.time()),
            "event": event,
        }

    def headers(self, body: bytes, event_id: str, secret: str, at: int) -> dict[str, str]:
        timestamp = str(at)
        verifier = SignatureVerifier(secret, _StoppedClock(at))
        signature = verifier.generate_signature(timestamp=timestamp, body=body)
        assert verifier.is_valid(body, timestamp, signature)
        return {"x-slack-request-timestamp": timestamp, "x-slack-signature": signature}


class SlackForms(Slack):
    """Slash commands and interactions: forms, for which the source is raw and told apart by their bytes."""

    takes_json_only = False

    def external_id(self, body: bytes, event_id: str) -> str | None:
        return "sha256:" + hashlib.sha256(body).hexdigest()


class Shopify(Sender):
    """By Shopify's page on webhooks; its SDK, which only checks, judges in the Node client."""

    signature_header = "x-shopify-hmac-sha256"
    event_type = "orders/create"
    has_timestamp = False

    def new_id(self) -> str:
        return str(uuid.uuid4())

    def document(self, event_id: str) -> dict:
        return {"id": secrets.randbits(48), "name": "#1001", "total_price": "10.99", "note": TEXT}

    def headers(self, body: bytes, event_id: str, secret: str, at: int) -> dict[str, str]:
        tag = hmac.digest(secret.encode(), body, "sha256")
        return {
            "x-shopify-hmac-sha256": base64.b64encode(tag).decode(),
            "x-shopify-topic": self.event_type,
            "x-shopify-shop-domain": "conformance.myshopify.com",
            "x-shopify-event-id": event_id,
            "x-shopify-webhook-id": str(uuid.uuid4()),
        }


class Partner(Sender):
    """Generic HMAC with all that it can have: prefix, SHA-512, base64, milliseconds, a signed header."""

    signature_header = "x-partner-signature"
    event_type = "parcel.delivered"

    def new_id(self) -> str:
        return f"delivery-{secrets.token_hex(8)}"

    def document(self, event_id: str) -> dict:
        return {"event": {"kind": self.event_type}, "note": TEXT}

    def headers(self, body: bytes, event_id: str, secret: str, at: int) -> dict[str, str]:
        milliseconds = f"{at}000"
        content = b".".join([milliseconds.encode(), event_id.encode(), body])
        tag = hmac.digest(secret.encode(), content, "sha512")
        return {
            "x-partner-signature": "v1=" + base64.b64encode(tag).decode(),
            "x-partner-time": milliseconds,
            "x-partner-delivery": event_id,
        }


class PartnerRaw(Sender):
    """Generic HMAC over the body alone, in hex, and bodies of any kind."""

    signature_header = "x-signature"
    event_type = "parcel.lost"
    has_timestamp = False
    takes_json_only = False

    def new_id(self) -> str:
        return secrets.token_hex(8)

    def document(self, event_id: str) -> dict:
        return {"type": self.event_type, "nonce": event_id, "note": TEXT}

    def headers(self, body: bytes, event_id: str, secret: str, at: int) -> dict[str, str]:
        return {"x-signature": "sha256=" + hmac.new(secret.encode(), body, "sha256").hexdigest()}

    def external_id(self, body: bytes, event_id: str) -> str | None:
        return "sha256:" + hashlib.sha256(body).hexdigest()


SENDERS: dict[str, type[Sender]] = {
    "stripe": Stripe,
    "stripe-ruled": Stripe,
    "standard": StandardWebhooks,
    "standard-v1a": StandardWebhooksV1a,
    "slack": Slack,
    "slack-forms": SlackForms,
    "shopify": Shopify,
    "partner": Partner,
    "partner-raw": PartnerRaw,
}


def senders(sources: dict[str, dict]) -> dict[str, Sender]:
    """A sender for each source that this client serves."""
    return {name: kind(name, sources[name]) for name, kind in SENDERS.items()}


def stripe_file(sender: Sender, body: bytes) -> Delivery:
    """A payload file as Stripe would send it: the id and the type stand in the body."""
    event = json.loads(body)
    at = int(time.time())
    headers = sender.headers(body, event["id"], sender.secrets[0], at)
    record = {"event_id": event["id"], "type": event["type"], "livemode": event["livemode"]}
    return Delivery(sender.name, sender.path, body, headers, event["id"], event["type"], record)


class _StoppedClock(Clock):
    """Lets the SDK's verifier judge a signature that is meant to be old."""

    def __init__(self, at: int):
        self._at = at

    def now(self) -> float:
        return self._at
