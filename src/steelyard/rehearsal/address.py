"""The files that the exchange writes into its folder, so that clients can find and trust it.

``address.json`` has the ports on which it listens, ``ca.pem`` is the certificate of its own
authority, and ``accounts.json`` (readable only by its owner) has the keys. Each account also has
two files in the form in which a keeper reads secrets: ``main.toml`` (HMAC) and
``main.ed25519.toml``. All of them stay the same when the exchange is started again.
"""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import Any

import orjson

from steelyard.errors import DataError
from steelyard.rehearsal.credentials import Credential

__all__ = ["HOSTS", "address_of", "leave", "leave_accounts", "tls"]

HOSTS = ("fapi.binance.com", "fstream.binance.com", "api.binance.com", "ws-fapi.binance.com")
"""The hosts that it answers for."""
ADDRESS, ACCOUNTS = "address.json", "accounts.json"
CERTIFICATE, AUTHORITY_KEY = "ca.pem", "ca.key"


def tls(folder: Path) -> ssl.SSLContext:
    """The server's TLS context, by the folder's own authority, which is created if missing."""
    import trustme

    certificate, key = folder / CERTIFICATE, folder / AUTHORITY_KEY
    if certificate.exists() and key.exists():
        authority = trustme.CA.from_pem(certificate.read_bytes(), key.read_bytes())
    else:
        authority = trustme.CA()
        _write_secret(key, authority.private_key_pem.bytes())
        _write(certificate, authority.cert_pem.bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*HOSTS, "localhost", "127.0.0.1").configure_cert(context)
    return context


def leave(folder: Path, port: int, control_port: int) -> dict[str, Any]:
    """Write the address file once the exchange listens, and return its content."""
    said: dict[str, Any] = {
        "schema": 1,
        "host": "127.0.0.1",
        "port": port,
        "certificate": CERTIFICATE,
        "hosts": list(HOSTS),
        "control": f"http://127.0.0.1:{control_port}",
        "process": os.getpid(),
    }
    _write(folder / ADDRESS, orjson.dumps(said, option=orjson.OPT_INDENT_2))
    return said


def leave_accounts(folder: Path, accounts: dict[str, tuple[Credential, Credential]]) -> None:
    """Write the keys, readable only by the owner, also in the form in which a keeper reads them."""
    rows = [
        {
            "account": name,
            "apiKey": plain.api_key,
            "secret": plain.secret,
            "ed25519": {"apiKey": pair.api_key, "secret": pair.secret},
        }
        for name, (plain, pair) in accounts.items()
    ]
    _write_secret(folder / ACCOUNTS, orjson.dumps(rows, option=orjson.OPT_INDENT_2))
    for name, (plain, pair) in accounts.items():
        text = f'key = "{plain.api_key}"\nsecret = "{plain.secret}"\n'
        _write_secret(folder / f"{name}.toml", text.encode())
        text = f'key = "{pair.api_key}"\nprivate_key = """\n{pair.secret}"""\n'
        _write_secret(folder / f"{name}.ed25519.toml", text.encode())


def address_of(folder: Path) -> dict[str, Any] | None:
    """The content of a folder's address file, which may be of an ended process; None: no file.

    Raises:
        DataError: the exchange did not write this file.
    """
    path = folder / ADDRESS
    if not path.exists():
        return None
    try:
        said = orjson.loads(path.read_bytes())
        return {**said, "port": int(said["port"]), "control": str(said["control"])}
    except (ValueError, KeyError, TypeError) as error:
        message = f"{path}: expected the address of a rehearsal exchange, found: {error!r}."
        raise DataError(message, file=str(path)) from error


def _write(path: Path, body: bytes, mode: int = 0o644) -> None:
    """Write a file atomically: completely or not at all."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(body)
    beside.replace(path)


def _write_secret(path: Path, body: bytes) -> None:
    _write(path, body, mode=0o600)
