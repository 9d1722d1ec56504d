"""Prints Ed25519 key pairs in the form of Standard Webhooks, as JSON: keypairs.py COUNT."""

import base64
import json
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def key_pair() -> dict[str, str]:
    """`whpk_` is the public key; `whsk_` is the seed followed by the public key, as senders store it."""
    private = Ed25519PrivateKey.generate()
    seed, public = private.private_bytes_raw(), private.public_key().public_bytes_raw()
    return {
        "check": "whpk_" + base64.b64encode(public).decode(),
        "sign": "whsk_" + base64.b64encode(seed + public).decode(),
    }


if __name__ == "__main__":
    print(json.dumps([key_pair() for _ in range(int(sys.argv[1]))]))
