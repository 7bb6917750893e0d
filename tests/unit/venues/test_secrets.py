"""Key and secret of a venue account come from where the keeper file says, and are shown nowhere."""

from __future__ import annotations

import copy
import pickle
import traceback
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from steelyard.errors import InputError
from steelyard.keeper.settings import read_settings
from steelyard.rules.presets import preset_text
from steelyard.venues.secrets import Secrets, is_source, read_secrets
from support.keeper_command import keeper_file

KEY, SECRET = "AKIDEXAMPLE7f3", "wJalrXUtnFEMI-K7MDENG"
FILE = f'key = "{KEY}"\nsecret = "{SECRET}"\n'


def written(folder: Path, text: str, mode: int = 0o600) -> Path:
    """A file of secrets."""
    path = folder / "main.secrets"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def is_shown(error: BaseException) -> bool:
    """Whether a part of key or secret is in an error, its details or its traceback's text."""
    details = repr(getattr(error, "details", ""))
    told = "".join(traceback.format_exception(error)) + details
    return any(each[:6] in told for each in (KEY, SECRET))


def test_they_come_from_two_variables(tmp_path: Path) -> None:
    """``env:MAIN`` stands for ``MAIN_KEY`` and ``MAIN_SECRET``."""
    found = read_secrets("env:MAIN", tmp_path, {"MAIN_KEY": KEY, "MAIN_SECRET": SECRET})
    assert (found.key, found.secret) == (KEY, SECRET)


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_they_come_from_a_file_beside_the_keeper_file(mode: int, tmp_path: Path) -> None:
    """Of its owner's alone, by a relative or by a whole path."""
    path = written(tmp_path, FILE, mode)
    for source in ("file:main.secrets", f"file:{path}"):
        found = read_secrets(source, tmp_path)
        assert (found.key, found.secret) == (KEY, SECRET)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o666])
def test_a_file_that_others_may_open_is_refused(mode: int, tmp_path: Path) -> None:
    """With its mode, and what to say to mend it."""
    path = written(tmp_path, FILE, mode)
    with pytest.raises(InputError, match=f"chmod 600 {path}") as refused:
        read_secrets("file:main.secrets", tmp_path)
    assert f"mode {mode:03o}" in str(refused.value)
    assert not is_shown(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        KEY,
        f"{KEY}\n{SECRET}\n",
        f'key = "{KEY}"\n',
        f'key = "{KEY}"\nsecret = {SECRET}\n',
        f'{FILE}more = "{SECRET}"\n',
        f'key = "{KEY}"\nsecret = "{SECRET} "\n',
        f'key = "{KEY}"\nsecret = ""\n',
        f'key = "{KEY}"\n{SECRET} = 1\n',
    ],
)
def test_a_file_with_something_else_is_refused_and_not_shown(text: str, tmp_path: Path) -> None:
    """Whatever stands in it may be a secret."""
    written(tmp_path, text)
    with pytest.raises(InputError, match=r'key = "\.\.\." and secret = "\.\.\."') as refused:
        read_secrets("file:main.secrets", tmp_path)
    assert not is_shown(refused.value)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """A name that is not there, and a folder."""
    with pytest.raises(InputError, match="No such file"):
        read_secrets("file:none", tmp_path)
    (tmp_path / "folder").mkdir(mode=0o700)
    with pytest.raises(InputError, match="no regular file"):
        read_secrets("file:folder", tmp_path)


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"MAIN_KEY": KEY},
        {"MAIN_KEY": KEY, "MAIN_SECRET": ""},
        {"MAIN_KEY": KEY, "MAIN_SECRET": f"{SECRET}\n"},
    ],
)
def test_a_variable_that_holds_none_is_named(variables: dict[str, str], tmp_path: Path) -> None:
    """By its name alone."""
    with pytest.raises(InputError, match=r"^MAIN_(KEY|SECRET): ") as refused:
        read_secrets("env:MAIN", tmp_path, variables)
    assert not is_shown(refused.value)


def test_they_are_shown_and_written_nowhere() -> None:
    """Neither by ``repr``, ``str``, a copy or a pickle; a text that holds them is cleaned."""
    secrets = Secrets(KEY, SECRET)
    for shown in (repr(secrets), str(secrets), f"{secrets}", repr([secrets])):
        assert KEY not in shown
        assert SECRET not in shown
    for write in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not copied"):
            write(secrets)
    assert secrets.hide(f"401 for {KEY}: signed {SECRET}") == "401 for ***: signed ***"


@pytest.mark.parametrize(
    "source", ["MAIN", "env:", "env:MAIN KEY", "env:1", "file:", "file:keys/", SECRET, 7, None]
)
def test_only_a_place_is_a_source(source: object) -> None:
    """Nothing that is a secret itself."""
    assert not is_source(source)


def test_a_secret_in_the_keeper_file_is_refused_and_not_shown(tmp_path: Path) -> None:
    """In the place of ``env:NAME``, or under a key of its own."""
    (tmp_path / "one.toml").write_text(preset_text("kucoin-3l"), encoding="utf-8")
    path = keeper_file(tmp_path, "one.toml")
    text = path.read_text(encoding="utf-8")
    for line, words in (("secrets", "env:NAME"), ("secret", 'Did you mean "secrets"')):
        changed = text.replace('kind = "paper"', f'kind = "paper"\n{line} = "{SECRET}"')
        path.write_text(changed, encoding="utf-8")
        with pytest.raises(InputError, match=words) as refused:
            read_settings(path)
        assert not is_shown(refused.value)


def test_a_paper_venue_may_say_where_they_are(tmp_path: Path) -> None:
    """A rehearsal takes the file of the real run; nothing is read for it."""
    (tmp_path / "one.toml").write_text(preset_text("kucoin-3l"), encoding="utf-8")
    path = keeper_file(tmp_path, "one.toml")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('kind = "paper"', 'kind = "paper"\nsecrets = "env:MAIN"'))
    assert read_settings(path).funds[0].venue.secrets == "env:MAIN"


PLAIN = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
ED25519 = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PEM = ED25519.private_bytes(*PLAIN).decode()


def is_told(error: BaseException, *hidden: str) -> bool:
    """Whether one of these is in an error, its details or its traceback's text."""
    told = "".join(traceback.format_exception(error)) + repr(getattr(error, "details", ""))
    return any(each in told for each in hidden)


@pytest.mark.parametrize("text", [PEM, PEM.replace("\n", "\r\n"), f"\n{PEM}\n\n"])
def test_an_ed25519_key_is_text_or_a_file(text: str, tmp_path: Path) -> None:
    """However its lines end, it signs as the key itself does, and its PEM is that of one kind."""
    written(tmp_path, f'key = "{KEY}"\nprivate_key = """\n{text}"""\n')
    pem = tmp_path / "main.pem"
    pem.write_bytes(text.encode())
    pem.chmod(0o600)
    beside = tmp_path / "beside.secrets"
    beside.write_text(f'key = "{KEY}"\nprivate_key_file = "main.pem"\n')
    beside.chmod(0o600)
    for source in ("file:main.secrets", "file:beside.secrets"):
        found = read_secrets(source, tmp_path)
        assert (found.key, found.secret) == (KEY, PEM.strip())
        # ccxt takes a longer one for an RSA key
        assert len(found.secret) <= 120


def test_a_private_key_that_others_may_open_is_refused(tmp_path: Path) -> None:
    """Though the file that names it is its owner's alone."""
    written(tmp_path, f'key = "{KEY}"\nprivate_key_file = "main.pem"\n')
    pem = tmp_path / "main.pem"
    pem.write_text(PEM)
    pem.chmod(0o640)
    with pytest.raises(InputError, match=f"mode 640.*chmod 600 {pem}"):
        read_secrets("file:main.secrets", tmp_path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (rsa.generate_private_key(65_537, 2_048).private_bytes(*PLAIN).decode(), "another kind"),
        (
            ED25519.private_bytes(*PLAIN[:2], BestAvailableEncryption(b"word")).decode(),
            "locked by a passphrase",
        ),
        (PEM.replace("PRIVATE", "PUBLIC"), "something else"),
        (PEM[:60], "something else"),
        (SECRET, "something else"),
        ("\0", "something else"),
    ],
)
def test_another_private_key_is_refused_and_not_shown(
    content: str, says: str, tmp_path: Path
) -> None:
    """With what is wrong about it."""
    written(tmp_path, f'key = "{KEY}"\nprivate_key_file = "main.pem"\n')
    pem = tmp_path / "main.pem"
    pem.write_text(content)
    pem.chmod(0o600)
    with pytest.raises(InputError, match=f"Ed25519 private key in PEM, found .*{says}") as refused:
        read_secrets("file:main.secrets", tmp_path)
    assert not is_told(refused.value, KEY, SECRET, *PEM.splitlines()[1:2])


@pytest.mark.parametrize(
    "text",
    [
        f'key = "{KEY}"\nprivate_key_file = "{SECRET}"\n',
        f'key = "{KEY}"\nprivate_key_file = """{PEM}"""\n',
        f'key = "{KEY}"\nprivate_key_file = "{SECRET}\\u0000"\n',
        f'key = "{KEY}"\nprivate_key = "{SECRET}"\n',
        f'key = "{KEY}"\nprivate_key = ""\n',
        f'key = "{KEY}"\nprivate_key = 5\n',
        f'key = "{KEY}"\nprivate_key = "{SECRET}"\nsecret = "{SECRET}"\n',
        f'key = "{KEY}"\nsecret = """{PEM}"""\n',
        f'private_key = """{PEM}"""\n',
    ],
)
def test_a_secret_in_the_place_of_another_is_not_shown(text: str, tmp_path: Path) -> None:
    """Nor as the name of a file that is not there."""
    written(tmp_path, text)
    with pytest.raises(InputError) as refused:
        read_secrets("file:main.secrets", tmp_path)
    assert not is_told(refused.value, KEY, SECRET, PEM.splitlines()[1])


def test_a_part_of_a_private_key_is_hidden_too() -> None:
    """Its line of letters, without what stands around it."""
    secrets, line = Secrets(KEY, PEM.strip()), PEM.splitlines()[1]
    assert secrets.hide(f"a {line} b") == "a *** b"
    assert line not in secrets.hide(repr(PEM))
