"""The sources of the server under test: their configuration, their secrets, and what clients are told."""

import base64
import json
import secrets
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

RULES = {"stripe": "examples/stripe/rules/stripe.tide", "github": "examples/github/rules/github.tide"}
MAX_BODY_BYTES = 256 * 1024


@dataclass(frozen=True)
class KeyPair:
    """What the server checks with and what a client signs with; the same for every HMAC."""

    check: str
    sign: str


@dataclass(frozen=True)
class SourceSpec:
    """One source of the configuration. Each has two secrets, as during a rotation."""

    name: str
    provider: str
    kind_of_secret: str
    settings: str = ""
    hmac: str = ""
    ruled: bool = False


SOURCES = [
    SourceSpec("stripe", "stripe", "whsec_hex"),
    SourceSpec("stripe-ruled", "stripe", "whsec_hex", 'rules = "rules/stripe.tide"', ruled=True),
    SourceSpec("github", "github", "text"),
    SourceSpec("github-ruled", "github", "text", 'rules = "rules/github.tide"', ruled=True),
    SourceSpec("standard", "standard-webhooks", "whsec_base64"),
    SourceSpec("standard-v1a", "standard-webhooks", "ed25519"),
    SourceSpec("slack", "slack", "text"),
    SourceSpec("slack-forms", "slack", "text", 'format = "raw"\nevent_id = "sha256(body)"'),
    SourceSpec("shopify", "shopify", "text"),
    SourceSpec(
        "partner",
        "hmac",
        "text",
        'event_id = "header:x-partner-delivery"\nevent_type = "event.kind"',
        hmac='header = "x-partner-signature"\nalgorithm = "sha512"\nencoding = "base64"\nprefix = "v1="\n'
        'content = "{timestamp}.{header:x-partner-delivery}.{body}"\n'
        'timestamp_header = "x-partner-time"\ntimestamp_unit = "ms"',
    ),
    SourceSpec(
        "partner-raw",
        "hmac",
        "text",
        'format = "raw"\nevent_id = "sha256(body)"',
        hmac='header = "x-signature"\nprefix = "sha256="',
    ),
]


class Plan:
    """A configuration folder with everything that belongs to it."""

    def __init__(self, folder: Path, repository: Path, make_ed25519: Callable[[int], list[KeyPair]]):
        self.config = folder / "tidegate.toml"
        self.admin_token = secrets.token_urlsafe(24)
        self.environment = {"CONFORMANCE_ADMIN_TOKEN": self.admin_token}
        self._keys = {spec.name: _keys(spec, make_ed25519) for spec in SOURCES}
        (folder / "rules").mkdir()
        for rules in RULES.values():
            shutil.copy(repository / rules, folder / "rules")
        self.config.write_text(self._toml())

    def _toml(self) -> str:
        head = (
            '[server]\nlisten = "127.0.0.1:0"\nadmin_listen = "127.0.0.1:0"\n'
            f'admin_token = "env:CONFORMANCE_ADMIN_TOKEN"\nmax_body_bytes = {MAX_BODY_BYTES}\n\n'
            '[store]\nurl = "sqlite://conformance.db"\n'
        )
        return head + "".join(self._source_toml(spec) for spec in SOURCES)

    def _source_toml(self, spec: SourceSpec) -> str:
        variables = [f"CONFORMANCE_{spec.name.upper().replace('-', '_')}_{n}" for n in (1, 2)]
        configured = [key.check for key in self._keys[spec.name][:2]]
        self.environment.update(zip(variables, configured, strict=True))
        references = ", ".join(f'"env:{variable}"' for variable in variables)
        table = (
            f'\n[[source]]\nname = "{spec.name}"\nprovider = "{spec.provider}"\nsecrets = [{references}]\n'
        )
        scheme = f"[source.hmac]\n{spec.hmac}\n" if spec.hmac else ""
        return f"{table}{spec.settings}\n{scheme}"

    def for_clients(self, listen: str, payloads: dict[str, list[str]]) -> str:
        """What a client process reads: where to post, how to sign, which files to send."""
        sources = {
            spec.name: {
                "path": f"/in/{spec.name}",
                "provider": spec.provider,
                "secrets": [key.sign for key in self._keys[spec.name][:2]],
                "wrong_secret": self._keys[spec.name][2].sign,
                "ruled": spec.ruled,
            }
            for spec in SOURCES
        }
        document = {
            "listen": listen,
            "sources": sources,
            "payloads": payloads,
            "max_body_bytes": MAX_BODY_BYTES,
        }
        return json.dumps(document, indent=2)


def ed25519_with(python: Path, script: Path) -> Callable[[int], list[KeyPair]]:
    """Key pairs made by `script`, because the standard library knows no Ed25519."""

    def make(count: int) -> list[KeyPair]:
        made = subprocess.run([python, script, str(count)], check=True, capture_output=True, text=True)
        return [KeyPair(**pair) for pair in json.loads(made.stdout)]

    return make


def _keys(spec: SourceSpec, make_ed25519: Callable[[int], list[KeyPair]]) -> list[KeyPair]:
    """Two keys for the configuration and a third that the server does not know."""
    if spec.kind_of_secret == "ed25519":
        return make_ed25519(3)
    return [KeyPair(text, text) for text in (_secret(spec.kind_of_secret) for _ in range(3))]


def _secret(kind: str) -> str:
    match kind:
        case "whsec_hex":
            return "whsec_" + secrets.token_hex(24)
        case "whsec_base64":
            return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
        case _:
            return secrets.token_hex(20)
