"""Signing and decoding access tokens."""

import base64
import hashlib
import hmac
import json


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unbase64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def sign(header, payload, key, digest=hashlib.sha256):
    """A signed JWT; header and payload are objects, JSON texts or bytes."""
    texts = [p if isinstance(p, (str, bytes)) else json.dumps(p, separators=(",", ":")) for p in (header, payload)]
    signed = ".".join(base64url(t if isinstance(t, bytes) else t.encode()) for t in texts)
    return signed + "." + base64url(hmac.new(key, signed.encode(), digest).digest())
