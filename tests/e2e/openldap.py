"""OpenLDAP's slapd with two trees: groups by memberOf in one, and in the other groups that only know their members."""

import base64
import os
import pathlib
import subprocess

from messages import secret
from peers import Peer, User, free_port, issue_for
from programs import LIMIT, die_with_parent

#: memberOf is kept by the server; users under ou=people, two of them with the same uid.
STUDIO = "dc=studio,dc=example"
#: Groups as groupOfNames, groupOfUniqueNames and posixGroup; users know nothing of them.
LAB = "dc=lab,dc=example"

CONFIGURATION = """include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
moduleload ppolicy
pidfile {folder}/slapd.pid
TLSCACertificateFile {ca}
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
TLSProtocolMin 3.3
sizelimit 20000
threads 8
"""

DATABASE = """
database mdb
suffix {suffix}
directory {folder}/{name}
maxsize 268435456
dbnosync
rootdn cn=root,{suffix}
rootpw {root}
index objectClass,uid,member,memberUid,uniqueMember,cn eq
access to attrs=userPassword by anonymous auth by self write by * none
access to * by users read by * none
{overlays}
overlay ppolicy
ppolicy_default cn=policy,{suffix}
ppolicy_use_lockout
"""

MEMBER_OF = """overlay memberof
memberof-group-oc groupOfNames
memberof-member-ad member
memberof-memberof-ad memberOf
memberof-refint TRUE"""


class People:
    def __init__(self, bulk=0):
        self.fairlead = User("fairlead")
        self.alice = User("alice", groups=["editors"], cn="Alice Archer")
        self.bob = User("bob")
        self.zoe = User("zoë", cn="Zoë Müller", password="Grüße-aus-Köln-7" + os.urandom(4).hex())
        self.nihon = User("日本", cn="日本 太郎", password="パスワード-Aa1" + os.urandom(4).hex())
        self.odd = User("odd*(name)", cn="Odd, one \\ #two + three")
        self.too_old = User("olga", pwdChangedTime="20200101000000Z", policy="short")
        self.grace = User("greta", pwdChangedTime="20200101000000Z", policy="grace")
        self.must_change = User("max", pwdReset="TRUE")
        self.choosy = User("carla", pwdReset="TRUE")
        self.locked = User("luca", pwdAccountLockedTime="000001010000Z")
        self.nested = User("nell")
        self.twin = User("twin", cn="Twin One")
        self.bulk = [User(f"artist{number:04}", password="Artist-Pass-1") for number in range(bulk)]
        self.all = [value for value in vars(self).values() if isinstance(value, User)] + self.bulk


def escaped(value):
    """A value inside a DN, RFC 4514."""
    for mark in '\\,+"<>;=#':
        value = value.replace(mark, "\\" + mark)
    return value


def attribute(name, value):
    """A line of LDIF, by base64 where it has to be."""
    if value.isascii() and value[:1] not in " :<":
        return f"{name}: {value}"
    return f"{name}:: {base64.b64encode(value.encode()).decode()}"


def entry(dn, *classes, **values):
    lines = [attribute("dn", dn), *(f"objectClass: {one}" for one in classes)]
    for name, value in values.items():
        lines += [attribute(name, one) for one in ([value] if isinstance(value, str) else value)]
    return "\n".join(lines) + "\n\n"


class OpenLdap:
    """`people` may be those of another server, for a second one that knows the same users. `log`: what slapd's -d takes."""

    def __init__(self, folder, authority, people=None, bulk=0, log="stats"):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.people = people or People(bulk)
        self.ca = str(authority.ca)
        self.root = secret("Root-" + os.urandom(9).hex())
        pair = issue_for(authority, "slapd", ["127.0.0.1"])
        text = CONFIGURATION.format(folder=self.folder, ca=self.ca, certificate=pair.certificate, key=pair.key)
        for name, suffix, overlays in (("studio", STUDIO, MEMBER_OF), ("lab", LAB, "")):
            (self.folder / name).mkdir()
            text += DATABASE.format(folder=self.folder, name=name, suffix=suffix, overlays=overlays,
                                    root=self.root)
        self.configuration = self.folder / "slapd.conf"
        self.configuration.write_text(text)
        self.configuration.chmod(0o600)
        for suffix in (STUDIO, LAB):
            self._load(suffix)
        self.port, self.plain_port = free_port(), free_port()
        self.server = Peer(
            "slapd", ["/usr/sbin/slapd", "-d", log, "-f", self.configuration, "-h",
                      f"ldaps://127.0.0.1:{self.port} ldap://127.0.0.1:{self.plain_port}"],
            self.folder, ("127.0.0.1", self.port))
        # By the server and not offline: memberOf is written by its overlay.
        self._groups()

    # --- contents ---

    def dn(self, user, suffix=STUDIO):
        return f"cn={escaped(user.cn)},ou=people,{suffix}"

    def _load(self, suffix):
        name = suffix.split(",")[0][3:]
        text = entry(suffix, "domain", dc=name)
        for unit in ("people", "groups", "elsewhere"):
            text += entry(f"ou={unit},{suffix}", "organizationalUnit", ou=unit)
        text += self._policies(suffix)
        for user in self.people.all:
            text += self._user(user, suffix)
        text += entry(f"cn=Twin Two,ou=elsewhere,{suffix}", "inetOrgPerson", cn="Twin Two", sn="Two",
                      uid="twin", userPassword=self.people.twin.password)
        self._run("/usr/sbin/slapadd", "-q", "-f", self.configuration, "-b", suffix, input=text)

    def _policies(self, suffix):
        text = ""
        for name, more in (("policy", {}), ("short", {"pwdMaxAge": "60"}),
                           ("grace", {"pwdMaxAge": "60", "pwdGraceAuthNLimit": "100"})):
            rules = {"pwdAttribute": "userPassword", "pwdMinLength": "8", "pwdCheckQuality": "2",
                     "pwdInHistory": "2", "pwdMustChange": "TRUE", "pwdAllowUserChange": "TRUE",
                     "pwdLockout": "TRUE", "pwdMaxFailure": "5", "pwdFailureCountInterval": "1800", **more}
            text += entry(f"cn={name},{suffix}", "device", "pwdPolicy", cn=name, **rules)
        return text

    def _user(self, user, suffix):
        number = str(2000 + self.people.all.index(user))
        values = {"cn": user.cn, "sn": user.cn, "uid": user.name, "userPassword": user.password,
                  "uidNumber": number, "gidNumber": "2000", "homeDirectory": "/nowhere"}
        state = dict(user.state)
        if "policy" in state:
            state["pwdPolicySubentry"] = f"cn={state.pop('policy')},{suffix}"
        return entry(self.dn(user, suffix), "inetOrgPerson", "posixAccount", **values, **state)

    def _groups(self):
        people = self.people

        def group(name, suffix, *members):
            return entry(f"cn={name},ou=groups,{suffix}", "groupOfNames", cn=name, member=members)

        def below(name, suffix):
            return f"cn={name},ou=groups,{suffix}"

        # From the inside to the outside, as the server wants members to exist; then the circle is closed.
        ends = {}
        for suffix in (STUDIO, LAB):
            text = group("juniors", suffix, self.dn(people.nested, suffix))
            text += group("finishing", suffix, below("juniors", suffix))
            text += group("post", suffix, below("finishing", suffix))
            text += group("editors", suffix, below("post", suffix), self.dn(people.alice, suffix),
                          self.dn(people.zoe, suffix), self.dn(people.nihon, suffix),
                          self.dn(people.odd, suffix))
            if people.bulk:
                text += group("farm", suffix, self.dn(people.bulk[0], suffix))
            ends[suffix] = text
        ends[LAB] += entry(f"cn=graders,ou=groups,{LAB}", "groupOfUniqueNames", cn="graders",
                           uniqueMember=[self.dn(people.bob, LAB)])
        ends[LAB] += entry(f"cn=machines,ou=groups,{LAB}", "posixGroup", cn="machines", gidNumber="3000",
                           memberUid=["bob", "alice"])
        for suffix, text in ends.items():
            self.ldap("ldapadd", dn=f"cn=root,{suffix}", password=self.root, input=text, check=True)
            circle = (f"dn: {below('juniors', suffix)}\nchangetype: modify\nadd: member\n"
                      f"member: {below('editors', suffix)}\n")
            self.ldap("ldapmodify", dn=f"cn=root,{suffix}", password=self.root, input=circle, check=True)

    # --- use ---

    @property
    def url(self):
        return f"ldaps://127.0.0.1:{self.port}"

    @property
    def plain_url(self):
        return f"ldap://127.0.0.1:{self.plain_port}"

    def _run(self, *command, input=None, check=True):
        done = subprocess.run([str(word) for word in command], input=input, capture_output=True, text=True,
                              env={**os.environ, "LDAPTLS_CACERT": self.ca, "LDAPCONF": "/dev/null"},
                              timeout=2 * LIMIT, preexec_fn=die_with_parent)
        assert not check or done.returncode == 0, f"{command[0]}: {done.stderr}"
        return done

    def ldap(self, program, *arguments, dn=None, password=None, input=None, check=False):
        dn, password = dn or self.dn(self.people.fairlead), password or self.people.fairlead.password
        return self._run(program, "-x", "-H", self.url, "-D", dn, "-w", password, *arguments, input=input,
                         check=check)

    def bind(self, user, password=None, suffix=STUDIO):
        return self.ldap("ldapwhoami", "-e", "ppolicy", dn=self.dn(user, suffix),
                         password=password or user.password)

    def binds(self, user, mark=0):
        """How often the server was asked to bind this user since a mark of server.log."""
        dn = self.dn(user).lower()
        return sum(" BIND dn=" in line and dn in line.lower() and "method=" in line
                   for line in self.server.log.since(mark))

    def config(self, suffix=STUDIO, **keys):
        secret_file = self.folder / "bind.password"
        secret_file.write_text(self.people.fairlead.password + "\n")
        secret_file.chmod(0o600)
        made = {
            "name": "studio", "kind": "ldap", "domains": ["STUDIO", "studio.example"], "servers": [self.url],
            "ca": self.ca, "base": suffix, "bind-dn": self.dn(self.people.fairlead, suffix),
            "bind-password-file": str(secret_file),
        }
        made.update(keys)
        return {key: value for key, value in made.items() if value is not None}

    def restart(self):
        self.server.restart()

    def close(self):
        self.server.stop()
