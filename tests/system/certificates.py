# SPDX-License-Identifier: Apache-2.0
"""Certificates for the tests over TLS, made with openssl: an authority, and what it signs."""

import pathlib
import shutil
import subprocess

PASSWORD = "berm-test"  # of the key stores, as Java wants one


def openssl(*words):
    subprocess.run(
        ["openssl", *[str(word) for word in words]],
        check=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )


class Identity:
    """A certificate and its key."""

    def __init__(self, certificate, key):
        self.certificate, self.key = certificate, key

    def put(self, certificate, key):
        """In place of what is there, each file at once."""
        for source, target in ((self.certificate, certificate), (self.key, key)):
            replace(source, target)

    def put_key_store(self, path):
        openssl(
            *("pkcs12", "-export", "-in", self.certificate, "-inkey", self.key),
            *("-passout", f"pass:{PASSWORD}", "-out", path),
        )


def replace(source, target):
    fresh = pathlib.Path(f"{target}.new")
    shutil.copy(source, fresh)
    fresh.rename(target)


class Authority:
    def __init__(self, folder, name):
        self.folder, self.name = pathlib.Path(folder), name
        self.certificate, self.key = self._files("authority")
        openssl(
            *("req", "-x509", *self._new_key(self.key), "-days", "2"),
            *("-subj", f"/CN={name}", "-out", self.certificate),
        )

    def _files(self, what):
        return tuple(self.folder / f"{self.name}-{what}.{kind}" for kind in ("pem", "key"))

    @staticmethod
    def _new_key(path):
        return "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", path

    def sign(self, what, names, days=2):
        """`names` as in subjectAltName; a negative number of days: expired."""
        certificate, key = self._files(what)
        request, extension = self.folder / "request.csr", self.folder / "names.ext"
        openssl("req", *self._new_key(key), "-subj", f"/CN={what}", "-out", request)
        extension.write_text(f"subjectAltName={names}\n")
        openssl(
            *("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key),
            *("-days", days, "-extfile", extension, "-out", certificate),
        )
        return Identity(certificate, key)

    def put_trust_store(self, path):
        """For Java, which does not take a PEM file."""
        subprocess.run(
            [
                *("keytool", "-importcert", "-noprompt", "-alias", "authority"),
                *("-file", self.certificate, "-keystore", path),
                *("-storetype", "PKCS12", "-storepass", PASSWORD),
            ],
            check=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
        )
