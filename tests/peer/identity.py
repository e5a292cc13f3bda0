"""Keys of an agent's folder (its own layout, which is local) and the partnership's bundle (which is on the wire)."""
import os
import pathlib
import re

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

import envelope
import hpke
import wire

PSEUDONYM_INFO = b"concordat/pseudonym/v1"


class Keys:
    """One set of keys: signing (Ed25519), transport (CURVE, raw) and sealing (X25519)."""

    def __init__(self, member, signing, transport, sealing):
        self.member = member
        self.signing = Ed25519PrivateKey.from_private_bytes(signing)
        self.transport = transport
        self.transport_public = hpke.public_bytes(X25519PrivateKey.from_private_bytes(transport))
        self.sealing = X25519PrivateKey.from_private_bytes(sealing)
        self.sealing_id = envelope.digest(hpke.public_bytes(self.sealing))[:16]

    @property
    def signing_public(self):
        return self.signing.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @classmethod
    def of_folder(cls, folder, name="current"):
        lines = (pathlib.Path(folder) / "keys" / f"{name}.key").read_text(encoding="ascii").splitlines()
        words = dict(line.split(" ", 1) for line in lines[1:])
        return cls(words["member"], *(bytes.fromhex(words[w]) for w in ("signing", "transport", "sealing")))


    @classmethod
    def make(cls, member):
        return cls(member, os.urandom(32), os.urandom(32), os.urandom(32))

    def request(self, member=None):
        """A certificate signing request (PEM) for these keys, as certificates.md describes it."""
        names = [f"member:{member or self.member}", "role:agent", f"curve:{self.transport_public.hex()}",
                 f"sealing:{hpke.public_bytes(self.sealing).hex()}"]
        uris = [x509.UniformResourceIdentifier(f"urn:concordat:{name}") for name in names]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, member or self.member)])
        builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
        builder = builder.add_extension(x509.SubjectAlternativeName(uris), critical=False)
        return builder.sign(self.signing, None).public_bytes(Encoding.PEM)


class Certificate:
    """What a member's certificate says in its subjectAltName."""

    def __init__(self, der):
        parsed = x509.load_der_x509_certificate(der)
        names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        said = dict(n.removeprefix("urn:concordat:").split(":", 1)
                    for n in names.get_values_for_type(x509.UniformResourceIdentifier))
        self.der, self.parsed, self.digest = der, parsed, envelope.digest(der)
        self.member, self.role = said["member"], said["role"]
        self.transport, self.sealing = (bytes.fromhex(said[w]) if w in said else None for w in ("curve", "sealing"))
        self.sealing_id = envelope.digest(self.sealing)[:16] if self.sealing else None
        self.signing = parsed.public_key()

    @property
    def signing_bytes(self):
        return self.signing.public_bytes(Encoding.Raw, PublicFormat.Raw)


class Bundle:
    """A bundle whose root, signatures and certificates have been checked; not its validity in time."""

    def __init__(self, data):
        bundle = wire.decode("Bundle", data)
        self.signed_head, self.data = bundle.head, data
        self.head = wire.decode("BundleHead", bundle.head.head)
        self.digest = envelope.digest(bundle.head.head)
        self.body = wire.decode("BundleBody", bundle.body)
        self.root_digest = envelope.digest(self.body.root)
        self.root = x509.load_der_x509_certificate(self.body.root).public_key()
        self.certificates = [Certificate(der) for der in self.body.certificates]
        self.revoked = {r.certificate for r in self.body.revocations}
        self._check(bundle.body)

    def _check(self, body):
        if self.head.body != envelope.digest(body) or self.head.root != self.root_digest:
            raise envelope.Refused("the head is not this body's")
        assert isinstance(self.root, Ed25519PublicKey)
        try:
            for certificate in self.certificates:
                self.root.verify(certificate.parsed.signature, certificate.parsed.tbs_certificate_bytes)
        except InvalidSignature:
            raise envelope.Refused("a certificate is not the root's") from None
        leaf = envelope.leaf(self.signed_head.head)
        for signed in self.signed_head.signatures:
            signer = self.certificate(signed.certificate)
            if signer.role != "authority":
                raise envelope.Refused("signed by another than the authority")
            envelope.verify_root(envelope.BUNDLE, self.root_digest, signer.digest, signer.signing, 1, leaf,
                                 signed.signature)

    @classmethod
    def of_folder(cls, folder):
        """The newest of an agent's or broker's folder."""
        files = (pathlib.Path(folder) / "bundles").glob("*.bundle")
        return cls(max(files, key=lambda f: int(f.stem)).read_bytes())

    def certificate(self, digest):
        for certificate in self.certificates:
            if certificate.digest == digest:
                return certificate
        raise envelope.Refused("the bundle has no such certificate")

    def current(self, member):
        """A member's newest certificate that is not revoked."""
        own = [c for c in self.certificates if c.member == member and c.digest not in self.revoked]
        if not own:
            raise envelope.Refused(f"the bundle has no certificate of {member}")
        return own[-1]

    def broker(self):
        return next(c for c in self.certificates if c.role == "broker" and c.digest not in self.revoked)

    def labels(self):
        """The catalogue's labels in its order."""
        text = self.body.catalogue.decode()
        section = re.search(r"^items:\n(.*?)^\S", text, re.S | re.M)[1]
        return re.findall(r"^  (\w+):", section, re.M)

    def purposes(self, member):
        """Purpose by event type, as the protocols state it for the class of this member."""
        found, own = {}, member.split(".")[0]
        rule = r"from: \[?([\w, ]+)\]?[^\n]*\n\s+events: \[(.*?)\][^\n]*\n\s+purpose: (.*)"
        for protocol in self.body.protocols:
            for classes, events, purpose in re.findall(rule, protocol.content.decode()):
                if {own, "any"} & {name.strip() for name in classes.split(",")}:
                    found.update((event, purpose.strip()) for event in events.split(", "))
        return found

    def pseudonym_key(self, keys):
        """(number, key) of the newest epoch, which is sealed to each member."""
        epoch = self.body.epochs[-1]
        for sealed in epoch["keys"]:
            if sealed.member == keys.member and sealed.key == keys.sealing_id:
                aad = envelope.canonical(wire.uint32(epoch.epoch), sealed.member, sealed.key)
                return epoch.epoch, hpke.open_sealed(keys.sealing, sealed.enc, PSEUDONYM_INFO, aad, 0, sealed.sealed)
        raise envelope.Refused("no pseudonym key is sealed to us")
