"""What only Standard Webhooks does."""

import time
from dataclasses import replace

from bodies import compact
from checks import Checks
from senders import Delivery

# The key and the signature of the test `test_asymmetric_key_signing` in Svix's server.
SVIX_SECRET = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
SVIX_ID, SVIX_TIME, SVIX_BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SVIX_V1A = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="


class StandardChecks(Checks):
    """Lists of signatures, the signed id, Svix's names, and this client's own v1a."""

    def run(self) -> None:
        """All of them."""
        self._own_v1a()
        for source in ["standard", "standard-v1a"]:
            self._signature_lists(source)
            self._signed_id(source)
        self._svix_names()

    def _own_v1a(self) -> None:
        """No SDK judges `v1a`, so the signer has to reproduce a signature that somebody else made."""
        signer = self.senders["standard-v1a"]
        made = signer.headers(SVIX_BODY, SVIX_ID, SVIX_SECRET, SVIX_TIME)["webhook-signature"]
        faults = [] if made == SVIX_V1A else [f"made {made}"]
        self.report.check("standard-v1a: this client signs as Svix's server does", faults)

    def _signature_lists(self, source: str) -> None:
        sender = self.senders[source]
        old, new = sender.secrets
        stranger = sender.wrong_secret
        self.accept("two signatures, both ours", self._signed_by(source, old, new))
        self.accept("two signatures, the second is ours", self._signed_by(source, stranger, new))
        self.refuse("two signatures, none ours", self._signed_by(source, stranger, stranger))
        good = self.fresh(source)
        signature = good.headers["webhook-signature"]
        self.accept("a signature beside one of a later version", _signed(good, f"v2,AAAA {signature}"))
        other_scheme = signature.replace("v1a,", "v1,") if "v1a," in signature else f"v1a{signature[2:]}"
        self.refuse("a signature under the other scheme's name", _signed(good, other_scheme))

    def _signed_by(self, source: str, *secrets: str) -> Delivery:
        sender, at = self.senders[source], int(time.time())
        event_id = sender.new_id()
        body = compact(sender.document(event_id))
        signatures = [sender.headers(body, event_id, s, at)["webhook-signature"] for s in secrets]
        return _signed(sender.deliver(body, event_id, at=at), " ".join(signatures))

    def _signed_id(self, source: str) -> None:
        good = self.fresh(source)
        self.refuse("another id", replace(good, headers=good.headers | {"webhook-id": "msg_other"}))

    def _svix_names(self) -> None:
        """Svix sends the same scheme under its own names; the two sets are never mixed."""
        good = self.fresh("standard")
        svix = {name.replace("webhook-", "svix-"): value for name, value in good.headers.items()}
        mixed = svix | {"webhook-id": svix.pop("svix-id")}
        self.refuse("names of both sets", replace(good, headers=mixed))
        svix["svix-id"] = good.headers["webhook-id"]
        self.accept("Svix's names", replace(good, headers=svix))


def _signed(delivery: Delivery, signature: str) -> Delivery:
    return replace(delivery, headers=delivery.headers | {"webhook-signature": signature})
