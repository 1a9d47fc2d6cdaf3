"""TLS as foreign peers see it: versions, the old-client listener, ciphers, both kinds of certificates, reload."""

import hashlib
import re
import shutil
import ssl
import subprocess

import pytest

import certs
import messages
from programs import LIMIT, die_with_parent
from wire import Raw, Talk, context, request

#: The vendor's published list, in its order.
VENDOR_ORDER = [
    "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-SHA384", "ECDHE-RSA-AES128-SHA256",
    "AES256-GCM-SHA384", "AES128-GCM-SHA256", "AES256-SHA256", "AES128-SHA256", "AES256-SHA", "AES128-SHA",
]


def s_client(address, ca, *options):
    """openssl s_client with one request: (worked, all it said)."""
    done = subprocess.run(
        ["openssl", "s_client", "-connect", address, "-CAfile", str(ca), "-servername", "localhost",
         "-verify_return_error", "-verify_hostname", "localhost", "-ign_eof", *options],
        input="GET /pcoip-broker/xml HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        capture_output=True, text=True, errors="replace", timeout=LIMIT, preexec_fn=die_with_parent)
    return "HTTP/1.1 200 " in done.stdout, done.stdout + done.stderr


def negotiated(text):
    found = re.search(r"Protocol *: (TLSv[\d.]+)", text)
    version = found.group(1) if found else re.search(r"^New, (\S+), Cipher", text, re.M).group(1)
    return version, re.search(r"Cipher is (\S+)", text).group(1)


@pytest.fixture(params=["broker", "manager", "direct", "launch", "license"])
def address(request, system):
    if request.param == "license":
        return system.license.address("license")
    return getattr(system, f"{request.param}_address")


@pytest.mark.parametrize("option, expected", [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")])
def test_tls_1_2_and_1_3(address, studio, option, expected):
    _, text = s_client(address, studio.ca, option)
    assert negotiated(text)[0] == expected
    assert "Verify return code: 0 (ok)" in text


@pytest.mark.parametrize("option", ["-tls1_1", "-tls1"])
def test_tls_1_0_and_1_1_are_refused(address, studio, option):
    worked, text = s_client(address, studio.ca, option, "-cipher", "ALL:@SECLEVEL=0")
    assert not worked
    assert "Cipher is (NONE)" in text
    assert re.search(r"alert protocol version|tlsv1 alert", text), text


@pytest.fixture
def old_and_new(start, studio):
    """One broker with an address for everybody and one for old zero clients."""
    return start("fairlead-broker", studio.broker(
        listen=[{"address": "127.0.0.1:0"}, {"address": "127.0.0.1:0", "tls10": True}]))


@pytest.mark.parametrize("option, expected", [("-tls1", "TLSv1"), ("-tls1_1", "TLSv1.1"), ("-tls1_2", "TLSv1.2"),
                                              ("-tls1_3", "TLSv1.3")])
def test_listener_for_old_clients(old_and_new, studio, option, expected):
    worked, text = s_client(old_and_new.address("broker", 1), studio.ca, option, "-cipher", "ALL:@SECLEVEL=0")
    assert worked, text
    assert negotiated(text)[0] == expected


def test_the_other_listener_stays_strict(old_and_new, studio):
    worked, text = s_client(old_and_new.address("broker", 0), studio.ca, "-tls1", "-cipher", "ALL:@SECLEVEL=0")
    assert not worked, text
    assert s_client(old_and_new.address("broker", 0), studio.ca)[0]


def test_server_chooses_the_cipher(system, studio):
    """Whatever the client prefers: the answer is the first of the vendor's list that the client has."""
    for i in range(len(VENDOR_ORDER)):
        offered = VENDOR_ORDER[i:]
        worked, text = s_client(system.broker_address, studio.ca, "-tls1_2", "-cipher", ":".join(reversed(offered)))
        assert worked, text
        assert negotiated(text)[1] == offered[0]


@pytest.mark.parametrize("cipher", ["RC4-SHA", "DES-CBC3-SHA", "NULL-SHA256", "AECDH-AES256-SHA", "EXP-RC4-MD5"])
def test_weak_ciphers_are_not_offered(system, studio, cipher):
    worked, text = s_client(system.broker_address, studio.ca, "-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0")
    assert not worked, text


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("algorithms, kind", [("ECDSA+SHA256", "id-ecPublicKey"), ("RSA-PSS+SHA256:RSA+SHA256", "rsaEncryption")])
def test_both_certificates_are_served(address, studio, version, algorithms, kind):
    """Each client gets the certificate it can use."""
    _, text = s_client(address, studio.ca, version, "-sigalgs", algorithms)
    assert "Verify return code: 0 (ok)" in text
    pem = text[text.index("-----BEGIN CERT"):text.index("-----END CERT")] + "-----END CERTIFICATE-----\n"
    shown = certs.openssl("x509", "-noout", "-text", input=pem.encode()).decode()
    assert kind in re.search(r"Public Key Algorithm: (\S+)", shown).group(1)


def test_ecdsa_comes_first(system, studio):
    """Where the client can do both, the cheaper one."""
    assert "ECDSA" in s_client(system.broker_address, studio.ca, "-tls1_2")[1]


def test_sessions_are_resumed(system, studio, tmp_path):
    file = tmp_path / "ticket"
    s_client(system.broker_address, studio.ca, "-tls1_2", "-sess_out", str(file))
    assert "\nReused, TLSv1.2" in s_client(system.broker_address, studio.ca, "-tls1_2", "-sess_in", str(file))[1]


def test_rsa_only_and_ecdsa_only(start, studio):
    """One certificate is enough."""
    for pair in (studio.rsa, studio.ecdsa):
        broker = start("fairlead-broker", studio.broker(certificates=[pair.config()]))
        assert s_client(broker.address("broker"), studio.ca)[0]


def fingerprint(raw):
    return hashlib.sha256(raw.socket.getpeercert(binary_form=True)).hexdigest()


def served_fingerprint(address, ca):
    with Raw(address, ca) as raw:
        return fingerprint(raw)


def test_reload_serves_the_new_certificate(start, studio, tmp_path):
    """SIGHUP: new connections get the new certificate, an old connection and its session live on."""
    file, key = tmp_path / "server.pem", tmp_path / "server.key"
    shutil.copy(studio.ecdsa.certificate, file)
    shutil.copy(studio.ecdsa.key, key)
    broker = start("fairlead-broker", studio.broker(
        certificates=[{"certificate": str(file), "key": str(key)}]))
    address = broker.address("broker")
    with Talk(address, studio.ca) as old:
        old.log_on(studio.alice.name, studio.alice.password)
        before = served_fingerprint(address, studio.ca)
        assert fingerprint(old.raw) == before
        new = certs.Authority(tmp_path / "new").issue("renewed")
        new_ca = str(tmp_path / "new" / "ca.pem")
        shutil.copy(new.certificate, file)
        shutil.copy(new.key, key)
        assert broker.reload()
        with pytest.raises(ssl.SSLCertVerificationError):
            Raw(address, studio.ca)
        assert served_fingerprint(address, new_ca) != before
        assert old.ask(messages.GET_RESOURCE_LIST).result == "LIST_SUCCESSFUL"
        with Talk(address, new_ca, cookie=old.cookie) as other:
            assert other.ask(messages.GET_RESOURCE_LIST).result == "LIST_SUCCESSFUL"


def test_reload_with_a_wrong_key_keeps_the_old_certificate(start, studio, tmp_path):
    file, key = tmp_path / "server.pem", tmp_path / "server.key"
    shutil.copy(studio.ecdsa.certificate, file)
    shutil.copy(studio.ecdsa.key, key)
    broker = start("fairlead-broker", studio.broker(
        certificates=[{"certificate": str(file), "key": str(key)}]))
    before = served_fingerprint(broker.address("broker"), studio.ca)
    shutil.copy(studio.authority.issue("mismatch").key, key)
    assert not broker.reload()
    assert served_fingerprint(broker.address("broker"), studio.ca) == before


def test_session_port_speaks_tls_1_3_only(system, studio):
    port = system.agent.address("session")
    for option, good in (("-tls1_2", False), ("-tls1_3", True)):
        done = subprocess.run(
            ["openssl", "s_client", "-connect", port, "-CAfile", studio.ca, "-servername", "ws-1.example", option],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=LIMIT,
            preexec_fn=die_with_parent)
        assert ("Cipher is (NONE)" not in done.stdout) == good, done.stdout


def test_alpn_of_browsers_does_no_harm(system, studio):
    tls = context(studio.ca)
    tls.set_alpn_protocols(["h2", "http/1.1"])
    with Raw(system.broker_address, studio.ca, tls=tls) as raw:
        assert raw.socket.selected_alpn_protocol() in (None, "http/1.1")
        raw.send(request(messages.envelope(messages.hello())))
        assert raw.answer().reply.name == "hello-resp"
