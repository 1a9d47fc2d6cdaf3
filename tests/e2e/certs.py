"""Throw-away certificates, made by the openssl command."""

import datetime
import pathlib
import subprocess

NAMES = "IP:127.0.0.1,DNS:localhost,DNS:ws-1.example"


def openssl(*arguments, input=None):
    return subprocess.run(
        ["openssl", *[str(word) for word in arguments]],
        input=input, check=True, capture_output=True,
    ).stdout


def _key(path, kind):
    if kind == "rsa":
        openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", path)
    else:
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)


def fingerprint(certificate):
    """SHA-256 of a PEM file's first certificate, as openssl writes it: AA:BB:..."""
    out = openssl("x509", "-in", certificate, "-noout", "-fingerprint", "-sha256")
    return out.decode().strip().split("=", 1)[1]


class Pair:
    def __init__(self, certificate, key):
        self.certificate = str(certificate)
        self.key = str(key)

    def config(self):
        return {"certificate": self.certificate, "key": self.key}


class Authority:
    """A certificate authority in a folder."""

    def __init__(self, folder, name="Fairlead test CA"):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.key = self.folder / "ca.key"
        self.ca = self.folder / "ca.pem"
        self._serial = 100
        _key(self.key, "ecdsa")
        openssl("req", "-x509", "-new", "-key", self.key, "-out", self.ca, "-days", "3650",
                "-subj", f"/CN={name}", "-addext", "basicConstraints=critical,CA:TRUE",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def issue(self, name, kind="ecdsa", names=NAMES, expired=False):
        """A server certificate signed by this authority."""
        key = self.folder / f"{name}.{kind}.key"
        request = self.folder / f"{name}.{kind}.csr"
        out = self.folder / f"{name}.{kind}.pem"
        extensions = self.folder / f"{name}.{kind}.ext"
        _key(key, kind)
        openssl("req", "-new", "-key", key, "-out", request, "-subj", f"/CN={name}")
        extensions.write_text(
            f"subjectAltName={names}\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n")
        self._serial += 1
        if expired:
            self._issue_past(request, out, extensions)
        else:
            openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.key,
                    "-set_serial", self._serial, "-days", "3650", "-extfile", extensions, "-out", out)
        return Pair(out, key)

    def _issue_past(self, request, out, extensions):
        """Only `openssl ca` can set the dates freely."""
        index = self.folder / "index.txt"
        index.write_text("")
        (self.folder / "serial").write_text(f"{self._serial:04X}\n")
        config = self.folder / "ca.cnf"
        config.write_text(
            "[ca]\ndefault_ca=d\n[d]\n"
            f"database={index}\nserial={self.folder}/serial\nnew_certs_dir={self.folder}\n"
            "default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n")
        now = datetime.datetime.now(datetime.timezone.utc)
        stamp = "%Y%m%d%H%M%SZ"
        openssl("ca", "-batch", "-config", config, "-cert", self.ca, "-keyfile", self.key,
                "-in", request, "-out", out, "-notext", "-extfile", extensions,
                "-startdate", (now - datetime.timedelta(days=20)).strftime(stamp),
                "-enddate", (now - datetime.timedelta(days=10)).strftime(stamp))


def self_signed(folder, name="self", names=NAMES):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    key, out = folder / f"{name}.key", folder / f"{name}.pem"
    _key(key, "ecdsa")
    openssl("req", "-x509", "-new", "-key", key, "-out", out, "-days", "3650", "-subj", f"/CN={name}",
            "-addext", f"subjectAltName={names}")
    return Pair(out, key)
