"""HPKE (RFC 9180) as sections use it: mode base, X25519, HKDF-SHA256, AES-256-GCM; by hand."""
import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEM = b"KEM" + bytes.fromhex("0020")
SUITE = b"HPKE" + bytes.fromhex("002000010002")


class BadSeal(Exception):
    """Sealed bytes that do not open."""


def _extract(suite, salt, label, key):
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + key, hashlib.sha256)


def _expand(suite, key, label, info, size):
    info = size.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    out = block = b""
    while len(out) < size:
        block = hmac.digest(key, block + info + bytes([len(out) // 32 + 1]), hashlib.sha256)
        out += block
    return out[:size]


def public_bytes(private):
    return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def derive_key_pair(ikm):
    """§7.1.3; for the worked example only."""
    return X25519PrivateKey.from_private_bytes(_expand(KEM, _extract(KEM, b"", b"dkp_prk", ikm), b"sk", b"", 32))


def _schedule(shared, enc, recipient, info):
    secret = _expand(KEM, _extract(KEM, b"", b"eae_prk", shared), b"shared_secret", enc + recipient, 32)
    context = b"\0" + _extract(SUITE, b"", b"psk_id_hash", b"") + _extract(SUITE, b"", b"info_hash", info)
    secret = _extract(SUITE, secret, b"secret", b"")
    return (AESGCM(_expand(SUITE, secret, b"key", context, 32)), _expand(SUITE, secret, b"base_nonce", context, 12))


def _nonce(base, sequence):
    return bytes(a ^ b for a, b in zip(base, sequence.to_bytes(12, "big")))


class Sealer:
    """One context: seals to one recipient under 0, 1, 2 …"""

    def __init__(self, recipient, info, ephemeral=None):
        ephemeral = ephemeral or X25519PrivateKey.generate()
        self.enc, self.sequence = public_bytes(ephemeral), 0
        shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(recipient))
        self._aead, self._base = _schedule(shared, self.enc, recipient, info)

    def seal(self, aad, plaintext):
        """(sequence number, sealed bytes)"""
        sequence, self.sequence = self.sequence, self.sequence + 1
        return sequence, self._aead.encrypt(_nonce(self._base, sequence), plaintext, aad)


def open_sealed(private, enc, info, aad, sequence, sealed):
    shared = private.exchange(X25519PublicKey.from_public_bytes(enc))
    aead, base = _schedule(shared, enc, public_bytes(private), info)
    try:
        return aead.decrypt(_nonce(base, sequence), sealed, aad)
    except InvalidTag:
        raise BadSeal("does not open") from None
