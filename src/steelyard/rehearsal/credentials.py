"""The keys of accounts, and the check of a request's signature.

Each account has two keys: one signs by HMAC-SHA256, one by Ed25519. Both are derived from the
exchange's seed and the account's name, so an exchange that is set up again has the same keys.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from steelyard.rehearsal.refusals import Refused

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["EARLY_MS", "Credential", "check_signature", "check_time", "credentials_of"]

EARLY_MS = 1_000
USUAL_WINDOW_MS = 5_000
WIDEST_WINDOW_MS = 60_000


@dataclass(frozen=True, slots=True)
class Credential:
    """A key with its means of signing: a secret (HMAC), or a key pair (Ed25519)."""

    account: str
    api_key: str
    secret: str
    pair: Ed25519PrivateKey | None = None

    def is_signed(self, payload: str, signature: str) -> bool:
        """Whether this key signed the payload."""
        if self.pair is None:
            expected = hmac.new(self.secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
            return hmac.compare_digest(expected, signature)
        from cryptography.exceptions import InvalidSignature

        try:
            raw = base64.b64decode(unquote(signature), validate=True)
            self.pair.public_key().verify(raw, payload.encode())
        except (InvalidSignature, binascii.Error):
            return False
        return True


def credentials_of(account: str, seed: int) -> tuple[Credential, Credential]:
    """An account's keys: HMAC first, then Ed25519, whose secret is the private key in PEM."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    def drawn(what: str) -> bytes:
        return hashlib.sha256(f"steelyard rehearsal {seed} {account} {what}".encode()).digest()

    plain = Credential(account, drawn("key").hex(), drawn("secret").hex())
    pair = Ed25519PrivateKey.from_private_bytes(drawn("ed25519"))
    pem = pair.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return plain, Credential(account, drawn("ed25519 key").hex(), pem, pair)


def check_signature(credential: Credential, query: str, body: str) -> None:
    """Refuse a request that its key did not sign; the signed text is the query, then the body.

    Raises:
        Refused: the signature is missing or wrong.
    """
    signature, kept = "", []
    for part in (query, body):
        fields = part.split("&") if part else []
        for field in fields:
            if field.startswith("signature="):
                signature = field.removeprefix("signature=")
        kept.append("&".join(field for field in fields if not field.startswith("signature=")))
    if not signature:
        raise Refused("missing", name="signature")
    if not credential.is_signed("".join(kept), signature):
        raise Refused("bad_signature")


def check_time(stamp_ms: int, window_ms: int | None, now_ms: int) -> None:
    """Refuse a request whose time stamp is not current.

    Raises:
        Refused: the stamp is too far ahead, or older than the request's window.
    """
    window_ms = USUAL_WINDOW_MS if window_ms is None else window_ms
    if not 0 < window_ms <= WIDEST_WINDOW_MS:
        raise Refused("bad_window")
    if stamp_ms >= now_ms + EARLY_MS:
        raise Refused("too_early")
    if now_ms - stamp_ms > window_ms:
        raise Refused("too_late")
