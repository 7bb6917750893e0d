"""Ed25519 keys that sign the heads of journals, in the text format of signed notes.

The private key is one line, ``PRIVATE+KEY+NAME+ID+DATA``; the public key is ``NAME+ID+DATA``. The
name is that of the journal, best as a URL without its scheme (``example.com/btc3l``). ``ID`` is the
first four bytes of SHA-256 of the name, a newline, the byte 1 (Ed25519) and the public key, in
hexadecimal; ``DATA`` is the base64 of the byte 1 and the key. This is the format of
https://c2sp.org/signed-note and of its tools.
"""

from __future__ import annotations

import base64
import binascii
import os
import stat
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from steelyard.errors import InputError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["PublicKey", "SigningKey", "new_key", "read_key", "read_public_key", "write_key"]

ED25519 = b"\x01"
KEY_BYTES = 32
ID_BYTES = 4
PRIVATE = "PRIVATE+KEY+"
OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True)
class PublicKey:
    """The public key with which holders check heads: its name and its 32 bytes."""

    name: str
    key: bytes

    @property
    def id(self) -> bytes:
        """The four bytes that precede each signature."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.key).digest()[:ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{_base64(ED25519 + self.key)}"

    @classmethod
    def parse(cls, text: str) -> PublicKey:
        """The key in a text ``NAME+ID+DATA``.

        Raises:
            InputError: the text has another form, or the ID of another key.
        """
        name, key = _parts(text.strip(), "a public key NAME+ID+DATA")
        found = cls(name, key)
        if str(found) != text.strip():
            raise InputError(f"public key {name}: its ID is not that of the key: it was changed.")
        return found

    def is_signature(self, signature: bytes, text: bytes) -> bool:
        """Whether ``signature`` is this key's signature of ``text``."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(signature, text)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class SigningKey:
    """The name and the 32 secret bytes of a key; ``repr`` does not show the bytes."""

    name: str
    _seed: bytes

    def __repr__(self) -> str:
        return f"SigningKey({self.name!r})"

    @property
    def public(self) -> PublicKey:
        """The public key with which others check signatures."""
        return PublicKey(self.name, self._key().public_key().public_bytes_raw())

    def sign(self, text: bytes) -> bytes:
        """The signature of a text (64 bytes)."""
        return self._key().sign(text)

    def secret_line(self) -> str:
        """The line that the key file contains."""
        return f"{PRIVATE}{self.name}+{self.public.id.hex()}+{_base64(ED25519 + self._seed)}"

    def _key(self) -> Ed25519PrivateKey:
        need_cryptography()
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self._seed)


def new_key(name: str) -> SigningKey:
    """A new key with this name.

    Raises:
        InputError: the name is empty, or has a space, a plus sign or an unprintable character.
    """
    check_name(name)
    return SigningKey(name, os.urandom(KEY_BYTES))


def check_name(name: str) -> None:
    """Refuse a name that is not allowed in a signed note.

    Raises:
        InputError: it is empty, or has a space, a plus sign or an unprintable character.
    """
    if not name or not name.isprintable() or any(one.isspace() or one == "+" for one in name):
        message = (
            "key name: expected a name such as example.com/btc3l, without spaces and plus signs, "
            f"found {name!r}."
        )
        raise InputError(message, found=name)


def write_key(path: Path, key: SigningKey) -> None:
    """Write a key file that only its owner can read; an existing file is never replaced.

    Raises:
        InputError: a file of this name exists, or the file cannot be written.
    """
    line = f"{key.secret_line()}\n".encode()
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        message = f"{path}: exists already, and a key is never replaced. Name another file."
        raise InputError(message) from None
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}.") from error
    with os.fdopen(handle, "wb") as file:
        os.fchmod(handle, 0o600)
        file.write(line)
        file.flush()
        os.fsync(handle)


def read_key(path: Path) -> SigningKey:
    """The key in a key file.

    Raises:
        InputError: there is no such file, others can read it, or it is damaged.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(4096).decode("utf-8", errors="replace").strip()
    except OSError as error:
        message = (
            f"{path}: expected a key file, found none that can be read ({error.strerror}): "
            '"steelyard journal key new" makes one.'
        )
        raise InputError(message) from error
    if mode & OTHERS:
        message = (
            f"{path}: expected a key that only its owner can read (mode 0600), found "
            f"{stat.S_IMODE(mode):04o}: others may have read it. Make a new key, or set the "
            "mode to 0600 if nobody has."
        )
        raise InputError(message, found=stat.S_IMODE(mode))
    if not text.startswith(PRIVATE):
        raise InputError(f"{path}: expected a line {PRIVATE}NAME+ID+DATA, found another text.")
    name, seed = _parts(text.removeprefix(PRIVATE), f"{path}: a line {PRIVATE}NAME+ID+DATA")
    key = SigningKey(name, seed)
    if key.secret_line() != text:
        raise InputError(f"{path}: the ID is not that of the key: the file was changed.")
    return key


def read_public_key(text: str) -> PublicKey:
    """The public key in the text ``NAME+ID+DATA``, or in the file of this name.

    Raises:
        InputError: the text is neither.
    """
    need_cryptography()
    path = Path(text)
    if "+" in text and not path.exists():
        return PublicKey.parse(text)
    try:
        found = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{text}: expected a public key NAME+ID+DATA or a file with one, found neither."
        raise InputError(message) from error
    if found.startswith(PRIVATE):
        return read_key(path).public
    return PublicKey.parse(found)


def need_cryptography() -> None:
    """Raise an error with the command that installs the signing library, if it is missing.

    Raises:
        InputError: the library is not installed.
    """
    try:
        import cryptography  # noqa: F401 (is it there?)
    except ImportError as error:
        message = (
            "the heads of journals need cryptography, which is not installed: python -m pip "
            "install '.[heads]' in a clone of the project."
        )
        raise InputError(message) from error


def _parts(text: str, expected: str) -> tuple[str, bytes]:
    """The name and the 32 key bytes in ``NAME+ID+DATA``."""
    name, _, rest = text.partition("+")
    _, _, data = rest.partition("+")
    try:
        raw = base64.b64decode(data, validate=True)
    except binascii.Error:
        raw = b""
    if not name or len(raw) != 1 + KEY_BYTES or not raw.startswith(ED25519):
        raise InputError(f"expected {expected} of Ed25519, found another text.")
    check_name(name)
    return name, raw[1:]


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
