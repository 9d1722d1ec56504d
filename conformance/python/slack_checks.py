"""What only Slack does."""

import json
import secrets
import time
from dataclasses import replace
from urllib.parse import urlencode

from bodies import TEXT, compact
from checks import Checks
from senders import Delivery

FORM = "application/x-www-form-urlencoded"


class SlackChecks(Checks):
    """The handshake, and forms."""

    def run(self) -> None:
        """All of them."""
        self._handshake()
        self._forms()

    def _handshake(self) -> None:
        """The challenge comes back, for Slack and for nobody else, and is no event."""
        slack = self.senders["slack"]
        challenge = secrets.token_urlsafe(39)
        body = compact({"token": "x", "challenge": challenge, "type": "url_verification"})
        signed = slack.deliver(body, "")
        exchange = self.post(signed)
        faults = exchange.faults(200)
        if not faults and exchange.json() != {"challenge": challenge}:
            faults = [f"the answer is {exchange.body!r}"]
        self.report.check("slack: url_verification is answered with its challenge", faults)
        stranger = slack.deliver(body, "", secret=slack.wrong_secret)
        self.refuse("url_verification by a stranger", stranger)

    def _forms(self) -> None:
        command = {"command": "/deploy", "text": TEXT, "response_url": "https://hooks.slack.test/1"}
        interaction = {"payload": json.dumps({"type": "block_actions", "value": TEXT})}
        for what, form in {"a slash command": command, "an interaction": interaction}.items():
            delivery = self._form(form | {"trigger_id": secrets.token_hex(8)})
            stored = self.accept(what, delivery)
            self.duplicate(f"{what} again", stored, delivery)
            decoded = delivery.body.replace(b"+", b"%20")
            self.refuse(f"{what} encoded differently", replace(delivery, body=decoded))

    def _form(self, fields: dict[str, str]) -> Delivery:
        """A form names no type of event, so none is stored."""
        delivery = self.senders["slack-forms"].deliver(urlencode(fields).encode(), "", at=int(time.time()))
        headers = delivery.headers | {"content-type": FORM}
        return replace(delivery, headers=headers, event_type=None)
