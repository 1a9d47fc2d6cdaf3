"""A small studio: who is there, what they may have, and configurations for the programs that serve them."""

import ctypes
import secrets as random

import certs
from messages import secret

DOMAINS = ["studio", "grading"]
CONTACT = "the help desk, extension 4711"

_crypt = ctypes.CDLL("libcrypt.so.1").crypt
_crypt.restype = ctypes.c_char_p


def password_hash(password, cost="75"):
    """yescrypt; the default cost is its lowest, so that logons in tests cost little."""
    salt = f"$y$j{cost}${random.token_hex(8)}$"
    made = _crypt(password.encode(), salt.encode())
    assert made and made.startswith(b"$y$"), made
    return made.decode()


class Person:
    def __init__(self, name, *groups, domain=None):
        self.name, self.groups, self.domain = name, groups, domain
        self.password = secret("Pw-" + random.token_hex(12))
        self.hash = password_hash(self.password)

    def config(self):
        made = {"name": self.name, "password": self.hash}
        if self.groups:
            made["groups"] = list(self.groups)
        if self.domain is not None:
            made["domain"] = self.domain
        return made


class Studio:
    """Certificates, people, and configurations that name them."""

    def __init__(self, folder, capture):
        self.folder = folder
        self.capture = capture
        self.authority = certs.Authority(folder / "certificates")
        self.ca = str(self.authority.ca)
        self.ecdsa = self.authority.issue("server", "ecdsa")
        self.rsa = self.authority.issue("server", "rsa")
        self.alice = Person("alice", "editors")
        self.bob = Person("bob", "graders")
        self.carol = Person("carol")
        self.dave = Person("dave", "editors", domain="grading")
        self.people = [self.alice, self.bob, self.carol, self.dave]

    def common(self, **keys):
        made = {
            "certificates": [self.ecdsa.config(), self.rsa.config()],
            "log": {"level": 3, "names": "clear"},
            "capture": str(self.capture),
            "workers": 2,
        }
        made.update(keys)
        return made

    def listen(self):
        return [{"address": "127.0.0.1:0"}]

    def users(self):
        return [person.config() for person in self.people]

    def license(self, folder, seats=4, **keys):
        made = self.common(
            listen=self.listen(),
            store=str(folder / "license.db"),
            licenses=[{"feature": "standard", "seats": seats}],
        )
        made.update(keys)
        return made

    def agent(self, folder, license_address=None, **keys):
        made = self.common(
            listen=self.listen(),
            **{
                "launch-listen": self.listen(),
                "session-address": "127.0.0.1:0",
                "hostname": "ws-1.example",
                "resource-name": "Edit suite 1",
                "state-directory": str(folder),
                "domains": DOMAINS,
                "users": self.users(),
            },
        )
        made["workers"] = 1
        if license_address:
            made["license"] = {"address": license_address, "trust": {"ca": self.ca}}
        made.update(keys)
        return made

    def host(self, port, name="edit-01", **keys):
        made = {"name": name, "address": "127.0.0.1", "hostname": "ws-1.example", "agent-port": port}
        made.update(keys)
        return made

    def broker(self, agent_port=1, **keys):
        """Editors have a workstation, bob has it too, and a farm desk; carol has nothing."""
        made = self.common(
            listen=self.listen(),
            trust={"ca": self.ca},
            domains=DOMAINS,
            contact=CONTACT,
            users=self.users(),
            hosts=[self.host(agent_port), self.host(agent_port, "farm-01")],
            resources=[
                {"id": "r-edit", "name": "Edit suite 1", "host": "edit-01",
                 "groups": ["editors"], "users": ["bob"]},
                {"id": "r-farm", "name": "Farm desk", "host": "farm-01", "session-type": "RDS",
                 "users": ["bob"]},
            ],
        )
        made.update(keys)
        return made

    def manager(self, broker_address, agent_port=1, **keys):
        made = self.common(
            listen=self.listen(),
            broker={"address": broker_address, "trust": {"ca": self.ca}},
            trust={"ca": self.ca},
            **{"agent-port": agent_port},
        )
        made.update(keys)
        return made


class System:
    """Licence service, agent, broker and manager that know each other. Without a guard, which has tests of its own:
    many tests mistype the same few people's passwords."""

    def __init__(self, start, studio, folder, **agent_keys):
        self.studio = studio
        self.license = start("fairlead-license", studio.license(folder))
        self.agent = start(
            "fairlead-agent", studio.agent(
                folder, self.license.address("license"), **{"guard": {"off": True}, **agent_keys}))
        self.broker = start("fairlead-broker", studio.broker(
            self.agent.port("launch"), guard={"off": True}, **{"trusted-proxies": ["127.0.0.1"]}))
        self.manager = start(
            "fairlead-manager",
            studio.manager(self.broker.address("broker"), self.agent.port("launch")))
        self.programs = [self.license, self.agent, self.broker, self.manager]

    @property
    def broker_address(self):
        return self.broker.address("broker")

    @property
    def manager_address(self):
        return self.manager.address("manager")

    @property
    def direct_address(self):
        return self.agent.address("direct")

    @property
    def launch_address(self):
        return self.agent.address("launch")
