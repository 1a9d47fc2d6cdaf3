"""An Active Directory domain controller: Samba's, provisioned in a folder and started on a loopback address."""

import base64
import json
import os
import pathlib
import subprocess


from peers import Peer, User, free_address, free_port, issue_for
from programs import LIMIT, die_with_parent

PORTS = (389, 636, 3268, 3269)

#: Bad passwords after which the domain locks an account.
LOCK_AFTER = 5

CONFIGURATION = """[global]
netbios name = DC1
workgroup = {domain}
realm = {realm}
server role = active directory domain controller
server services = ldap
interfaces = {address}/8
bind interfaces only = yes
private dir = {folder}/private
lock directory = {folder}/lock
state directory = {folder}/state
cache directory = {folder}/cache
pid directory = {folder}/run
ncalrpc dir = {folder}/ncalrpc
binddns dir = {folder}/bind-dns
ntp signd socket directory = {folder}/ntp
winbindd socket directory = {folder}/winbindd
usershare path = {folder}/usershares
log level = 1 auth_audit:2
ldb:nosync = true
load printers = no
disable spoolss = yes
ldap server require strong auth = yes
tls enabled = yes
tls keyfile = {key}
tls certfile = {certificate}
tls cafile = {ca}
[sysvol]
path = {folder}/state/sysvol
read only = no
[netlogon]
path = {folder}/state/sysvol/netlogon
read only = no
"""


class People:
    """Who is in the domain. A new set for each domain, with passwords of its own."""

    def __init__(self, bulk=0):
        self.fairlead = User("fairlead", cn="Fairlead, the broker")
        self.alice = User("alice", login="alice.archer@studio.example", cn="Alice Archer")
        self.bob = User("bob")
        self.zoe = User("zoë", cn="Zoë Müller", login="zoë.müller@studio.example",
                        password="Grüße-aus-Köln-7" + os.urandom(4).hex())
        self.nihon = User("日本", cn="日本 太郎", password="パスワード-Aa1" + os.urandom(4).hex())
        self.odd = User("odd(name)", cn='Odd "*" (one), \\ and #two')
        self.wrong = User("wanda")
        self.too_old = User("olga", password_too_old=True, ages=True)
        self.must_change = User("max", must_change=True, ages=True)
        self.choosy = User("carla", must_change=True, ages=True)
        self.fresh = User("frida", must_change=True, ages=True)
        self.disabled = User("dirk", disabled=True)
        self.expired = User("edgar", expired=True)
        self.no_hours = User("nora", no_hours=True)
        self.elsewhere = User("willi", workstations="SOMEWHERE-ELSE")
        self.smartcard = User("sven", smartcard=True)
        self.locked = User("luca")
        self.nested = User("nell")
        self.primary = User("prim", primary_group="colourists")
        self.bulk = [User(f"artist{number:04}", password="Artist-Pass-1") for number in range(bulk)]
        self.victims = [User(f"victim{number:02}", password=f"Victim-Pass-{number:02}") for number in range(12)]
        self.all = [value for value in vars(self).values() if isinstance(value, User)]
        self.all += self.bulk + self.victims
        #: Made by the domain itself.
        self.administrator = User("Administrator", password="Admin-" + os.urandom(9).hex() + "A1")
        #: nell is an editor by three steps; the chain bites its own tail.
        self.groups = [
            {"name": "editors", "members": ["post", "alice", "zoë", "日本", "odd(name)", "frida"]},
            {"name": "post", "members": ["finishing"]},
            {"name": "finishing", "members": ["juniors"]},
            {"name": "juniors", "members": ["nell", "editors"]},
            {"name": "colourists", "members": []},
            {"name": "farm", "members": ["artist" + "0000"] if bulk else []},
        ]


class SambaDomain:
    """A domain of one's own. With `bulk`, so many further users named artist0000 and so on; or with `people`."""

    realm, domain, base = "STUDIO.EXAMPLE", "STUDIO", "DC=studio,DC=example"

    def __init__(self, folder, authority, bulk=0, model="single", people=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.people = people or People(bulk)
        self.ca = str(authority.ca)
        inner = free_address(*PORTS)
        self.address = inner or "127.0.0.1"
        #: Of LDAP and LDAPS; the server's own are fixed.
        self.plain_port, self.port = (389, 636) if inner else (free_port(), free_port())
        pair = issue_for(authority, "dc1", [self.address])
        os.chmod(pair.key, 0o600)
        (self.folder / "smb.conf").write_text(CONFIGURATION.format(
            domain=self.domain, realm=self.realm, address=self.address, folder=self.folder,
            key=pair.key, certificate=pair.certificate, ca=self.ca))
        self._provision()
        self.server = Peer(
            "samba", ["samba", "--foreground", "--no-process-group", "--debug-stdout", "-M", model,
                      f"--configfile={self.folder}/smb.conf"],
            self.folder, (self.address, self.port),
            apart=None if inner else {self.plain_port: 389, self.port: 636})

    def _provision(self):
        wanted = {
            "realm": self.realm, "domain": self.domain, "address": self.address,
            "admin-password": self.people.administrator.password,
            "lock-after": LOCK_AFTER, "groups": self.people.groups,
            "users": [{"name": user.name, "cn": user.cn, "password": user.password,
                       **({"login": user.login} if user.login else {}), **user.state}
                      for user in self.people.all],
        }
        script = pathlib.Path(__file__).with_name("samba_provision.py")
        done = subprocess.run(["/usr/bin/python3", "-B", script, self.folder], input=json.dumps(wanted),
                              capture_output=True, text=True, timeout=6 * LIMIT, preexec_fn=die_with_parent)
        if done.returncode != 0:
            raise AssertionError(f"the domain could not be provisioned:\n{done.stderr}")
        for user in self.people.all:
            user.dn = json.loads(done.stdout)[user.name]
        self.people.administrator.dn = f"CN=Administrator,CN=Users,{self.base}"

    @property
    def url(self):
        return f"ldaps://{self.address}:{self.port}"

    @property
    def plain_url(self):
        return f"ldap://{self.address}:{self.plain_port}"

    def ldap(self, program, *arguments, user=None, password=None, input=None):
        """ldapsearch and its kin over TLS, as a user (by his DN) or as the program's account."""
        user = user or self.people.fairlead
        return subprocess.run(
            [program, "-x", "-H", self.url, "-D", user.dn, "-w", password or user.password, *arguments],
            env={**os.environ, "LDAPTLS_CACERT": self.ca, "LDAPCONF": "/dev/null"}, input=input,
            capture_output=True, text=True, timeout=LIMIT, preexec_fn=die_with_parent)

    def bind(self, user, password=None):
        """What the directory itself says to a password: its result and its own words."""
        return self.ldap("ldapwhoami", user=user, password=password)

    def attributes(self, user, *names):
        """The attributes of a user by the program's account; those without a value are not there."""
        found = self.ldap("ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-b", user.dn, "-s", "base", *names)
        assert found.returncode == 0, found.stderr
        lines = [line.split(": ", 1) for line in found.stdout.splitlines() if ": " in line]
        return {name: value for name, value in lines if name in names}

    def lock(self, user):
        """As an attacker would, had he no guard in front of him."""
        for _ in range(LOCK_AFTER):
            self.bind(user, "wrong")
        assert int(self.attributes(user, "lockoutTime")["lockoutTime"]) > 0

    def forgive(self, users):
        """Unlocks accounts, and forgets their bad passwords."""
        changes = "".join(f"dn:: {base64.b64encode(user.dn.encode()).decode()}\nchangetype: modify\n"
                          "replace: lockoutTime\nlockoutTime: 0\n\n" for user in users)
        done = self.ldap("ldapmodify", user=self.people.administrator, input=changes)
        assert done.returncode == 0, done.stderr

    def config(self, **keys):
        """The directory for a broker's or an agent's configuration."""
        secret_file = self.folder / "bind.password"
        secret_file.write_text(self.people.fairlead.password + "\n")
        secret_file.chmod(0o600)
        made = {
            "name": "studio", "kind": "active-directory", "domains": [self.domain, "studio.example"],
            "servers": [self.url], "ca": self.ca, "base": self.base,
            "bind-dn": self.people.fairlead.dn, "bind-password-file": str(secret_file),
        }
        made.update(keys)
        return {key: value for key, value in made.items() if value is not None}

    def restart(self):
        self.server.restart()

    def close(self):
        self.server.stop()


