"""The guard on every way in, against what the public spraying tool for this protocol does: for each try a new
connection, the probing hello, a true hello, and one authenticate. The directory is a Samba domain that locks
accounts."""

import concurrent.futures
import random
import re
import time

import pytest

import messages
from active_directory import LOCK_AFTER, SambaDomain
from messages import secret
from radius_server import FreeRadius
from rigs import COMPLETE, DENIED, UNKNOWN, WRONG, Door, answer, broker_config, dialog_of
from studio import Person
from wire import Talk

WAIT = re.compile(r"Too many attempts to log on have failed\. Please try again in (\d+) (s|min)\.")

#: Limits as they come; only the delays are short, so that the tests are.
QUICK = {"delay-ms": 1, "delay-most-ms": 1}


@pytest.fixture(scope="module")
def domain(tmp_path_factory, studio):
    """One of its own: accounts are counted in it."""
    made = SambaDomain(tmp_path_factory.mktemp("guarded"), studio.authority)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _nothing_counted(domain):
    """Each test has a program with nothing in its memory, so the domain begins anew, too."""
    people = domain.people
    domain.forgive([*people.victims, people.alice, people.bob, people.zoe, people.nihon])


@pytest.fixture
def door_to(start, studio, domain):
    def make(**guard):
        config = broker_config(studio, domain.config(), guard={**QUICK, **guard},
                               **{"trusted-proxies": ["127.0.0.1"]})
        return Door(start("fairlead-broker", config), studio.ca)

    return make


def spray(door, user, password, source=None, forwarded=None):
    """One try as the tool makes it; what came back."""
    headers = [f"X-Forwarded-For: {forwarded}"] if forwarded else []
    with Talk(door.program.address(door.kind), door.ca, headers=headers, source=source) as talk:
        assert talk.ask(messages.QUERY).name == "hello-resp"
        assert talk.ask(messages.hello(product="Teradici PCoIP Client")).name == "hello-resp"
        reply = talk.ask(messages.authenticate(user, password, "STUDIO"))
        assert reply.name == "authenticate-resp"
        return reply


def learned(replies):
    """All that can be told from answers, but for the seconds to wait."""
    return [WAIT.sub("wait", repr(reply)) for reply in replies]


class Tries:
    """Passwords that the domain controller was asked about, from a moment on."""

    def __init__(self, domain):
        self.domain, self.mark = domain, domain.server.log.mark()

    def of(self, *users):
        # A bind that fails as the last one, so that all before it are in the log.
        end = f"cn=end-{random.randrange(10**9)}"
        self.domain.ldap("ldapwhoami", user=type("Nobody", (), {"dn": end, "password": "x"}))
        self.domain.server.log.wait(re.escape(end), self.mark)
        lines = [line for line in self.domain.server.log.since(self.mark)
                 if line.lstrip().startswith("Auth: [LDAP,simple bind") and end not in line]
        names = [f"[{user.dn.lower()}]" for user in users]
        self.lines = [line for line in lines if any(name in line.lower() for name in names)]
        return len(self.lines)


def locked(domain, users):
    """How near the accounts came to being locked."""
    found = [domain.attributes(user, "badPwdCount", "lockoutTime") for user in users]
    assert all(int(one.get("lockoutTime", 0)) == 0 for one in found)
    return max(int(one.get("badPwdCount", 0)) for one in found)


def addresses(count):
    """Of as many networks."""
    return [f"10.{random.randrange(256)}.{number % 256}.{random.randrange(1, 255)}" for number in range(count)]


# --- one password, many users ---


def sources(kind, count):
    if kind == "one":
        return [{"source": "127.77.0.1"}] * count
    if kind == "loopback":
        return [{"source": f"127.{80 + number}.{random.randrange(256)}.7"} for number in range(count)]
    return [{"forwarded": address} for address in addresses(count)]


@pytest.mark.parametrize("kind", ["one", "loopback", "forwarded"])
def test_spraying(door_to, domain, kind):
    """One password over users that exist, and over users that do not: from one address, from many, and from many that a
    proxy reports. Both see the same; the directory is asked a few times; no account is near its lock."""
    victims = domain.people.victims
    password = secret(f"Winter-2026-{kind}")
    tries = Tries(domain)
    told = {}
    for group in ("there", "not there"):
        names = [user.name if group == "there" else f"ghost{number:02}" for number, user in enumerate(victims)]
        door = door_to()
        told[group] = [spray(door, name, password, **how) for name, how in zip(names, sources(kind, len(names)))]
        assert [reply.result for reply in told[group]] == [WRONG] * 6 + [DENIED] * (len(names) - 6)
        assert all(reply.words == UNKNOWN for reply in told[group][:6])
        assert all(WAIT.fullmatch(reply.words) for reply in told[group][6:])
        lines = [line for line in door.log.since() if "Guard: The limit '" in line]
        assert len(lines) == 1 and "'password' of failed attempts is reached, the last one" in lines[0], lines
    assert learned(told["there"]) == learned(told["not there"])
    assert tries.of(*victims) == 6
    assert locked(domain, victims) < LOCK_AFTER


def test_spraying_the_right_password(door_to, domain):
    """Even where it is somebody's: once it has failed for six users, it opens no account to strangers."""
    victims = domain.people.victims
    password = victims[9].password
    door = door_to()
    replies = [spray(door, user.name, password, forwarded=address)
               for user, address in zip(victims, addresses(len(victims)))]
    assert not [reply for reply in replies if reply.result == COMPLETE]
    assert WAIT.fullmatch(replies[9].words)


def test_many_at_once(door_to, domain):
    """A hundred connections at the same time get no further than one after the other."""
    victims = domain.people.victims
    password = secret("Winter-2026-at-once")
    door = door_to()
    tries = Tries(domain)
    jobs = [(user.name, address) for user in victims for address in addresses(5)]
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        replies = list(pool.map(lambda job: spray(door, job[0], password, forwarded=job[1]), jobs))
    # Which users came first is chance; that each of them was one of six is not. A user may be tried three times.
    assert not [reply for reply in replies if reply.result == COMPLETE]
    assert tries.of(*victims) <= 6 * 3, '\n'.join(tries.lines)
    assert locked(domain, victims) < LOCK_AFTER
    assert sum(reply.result == DENIED for reply in replies) >= len(jobs) - 18


# --- many passwords, one user ---


def test_guessing(door_to, domain):
    """Passwords of one user from everywhere: three are tried; then even the right one is refused to strangers."""
    bob = domain.people.bob
    door = door_to()
    tries = Tries(domain)
    replies = [spray(door, "bob", secret(f"guess-number-{number}"), forwarded=address)
               for number, address in enumerate(addresses(12))]
    assert [reply.result for reply in replies] == [WRONG] * 3 + [DENIED] * 9
    assert tries.of(bob) == 3
    assert locked(domain, [bob]) == 3
    last = spray(door, "bob", bob.password, forwarded="10.200.0.1")
    found = WAIT.fullmatch(last.words)
    assert last.result == DENIED and found
    assert 25 <= int(found.group(1)) <= 30 and found.group(2) == "min"
    door.log.wait(r"Stage 2: Not tried: the limit 'user' of failed attempts is reached; again in \d+ s")
    # Nobody else is shut out.
    assert spray(door, "alice", domain.people.alice.password, forwarded="10.201.0.1").result == COMPLETE


def test_guessing_by_many_spellings(door_to, domain):
    """They do not add up, and the answers are those for somebody who does not exist."""
    bob = domain.people.bob
    spellings = ["{}", r"STUDIO\{}", "{}@studio.example", r"studio.example\{}", " {} ", "{}@studio",
                 "{}@STUDIO.EXAMPLE"]
    tries = Tries(domain)
    told = {}
    for name in ("bob", "gus"):
        door = door_to(address=100, prefix=1000, password=100)
        told[name] = [
            spray(door, spellings[number % len(spellings)].format(name.upper() if number % 2 else name),
                  secret(f"guess-of-spelling-{number}"), forwarded=address)
            for number, address in enumerate(addresses(21))]
        assert not [reply for reply in told[name] if reply.result == COMPLETE]
    assert learned(told["bob"]) == learned(told["gus"])
    assert tries.of(bob) == 3
    assert locked(domain, [bob]) == 3


def test_principal_name_is_the_same_account(door_to, domain):
    """Two names of one account that have nothing in common are told apart by nobody but the directory."""
    alice = domain.people.alice
    door = door_to()
    names = ["alice", alice.login] * 6
    replies = [spray(door, name, secret(f"guess-of-two-{number}"), forwarded=address)
               for number, (name, address) in enumerate(zip(names, addresses(12)))]
    assert not [reply for reply in replies if reply.result == COMPLETE]
    assert locked(domain, [alice]) == 3


def test_known_user_is_not_shut_out(door_to, domain):
    """Who logged on from an address before gets in there, whatever strangers do; and he may still mistype once."""
    zoe = domain.people.zoe
    home = "10.99.1.2"
    door = door_to()
    assert spray(door, zoe.name, zoe.password, forwarded=home).result == COMPLETE
    # Her own password over other users, hers guessed, and far too much in all.
    for number, address in enumerate(addresses(8)):
        spray(door, zoe.name, secret(f"guess-of-zoe-{number}"), forwarded=address)
        spray(door, domain.people.victims[number].name, zoe.password, forwarded=address)
    assert WAIT.fullmatch(spray(door, zoe.name, zoe.password, forwarded="10.98.0.1").words)
    assert spray(door, zoe.name, "mistyped", forwarded=home).result == WRONG
    assert locked(domain, [zoe]) < LOCK_AFTER
    assert WAIT.fullmatch(spray(door, zoe.name, secret("mistyped again"), forwarded=home).words)
    assert locked(domain, [zoe]) < LOCK_AFTER


def test_known_user_gets_in(door_to, domain):
    nihon = domain.people.nihon
    home = "10.97.1.2"
    door = door_to()
    assert spray(door, nihon.name, nihon.password, forwarded=home).result == COMPLETE
    for number, address in enumerate(addresses(8)):
        spray(door, nihon.name, secret(f"guess-of-nihon-{number}"), forwarded=address)
    assert spray(door, nihon.name, nihon.password, forwarded=home).result == COMPLETE
    # A success forgets the failures, as the directory does.
    assert spray(door, nihon.name, nihon.password, forwarded="10.96.0.1").result == COMPLETE


# --- other limits ---


def test_address_and_prefix(door_to, domain):
    """Twelve failures of an address; of the addresses of a network, sixty; others go on."""
    door = door_to(prefix=20)
    one = [spray(door, f"ghost-a{number}", secret(f"pass-a-{number}"), forwarded="10.1.2.3") for number in range(14)]
    assert [reply.result for reply in one] == [WRONG] * 12 + [DENIED] * 2
    near = [spray(door, f"ghost-b{number}", secret(f"pass-b-{number}"), forwarded=f"10.1.2.{100 + number}")
            for number in range(10)]
    assert [reply.result for reply in near] == [WRONG] * 8 + [DENIED] * 2
    assert spray(door, "ghost-c", secret("pass-c-1"), forwarded="10.1.3.3").result == WRONG
    for limit, address in (("address", "10.1.2.3"), ("prefix", r"10.1.2.\d+")):
        door.log.wait(rf"Guard: The limit '{limit}' of failed attempts is reached, the last one came from {address};")


def test_overall(door_to, domain):
    door = door_to(all=10)
    replies = [spray(door, f"ghost-d{number}", secret(f"pass-d-{number}"), forwarded=address)
               for number, address in enumerate(addresses(14))]
    assert [reply.result for reply in replies] == [WRONG] * 10 + [DENIED] * 4


def test_forged_address_counts_for_nothing(start, studio, domain):
    """Without a proxy that is trusted, X-Forwarded-For is what anybody may write."""
    door = Door(start("fairlead-broker", broker_config(studio, domain.config(), guard=QUICK)), studio.ca)
    replies = [spray(door, f"ghost-e{number}", secret(f"pass-e-{number}"), forwarded=address)
               for number, address in enumerate(addresses(14))]
    assert [reply.result for reply in replies] == [WRONG] * 12 + [DENIED] * 2


def test_reload_keeps_counts(door_to, studio, domain):
    door = door_to()
    for number, address in enumerate(addresses(3)):
        spray(door, "ghost", secret(f"pass-r-{number}"), forwarded=address)
    door.program.configure(broker_config(
        studio, domain.config(), guard={**QUICK, "user": 3, "address": 50}, **{"trusted-proxies": ["127.0.0.1"]}))
    assert door.program.reload()
    assert WAIT.fullmatch(spray(door, "ghost", secret("pass-r-9"), forwarded="10.5.0.1").words)
    door.program.configure(broker_config(
        studio, domain.config(), guard={**QUICK, "user": 5}, **{"trusted-proxies": ["127.0.0.1"]}))
    assert door.program.reload()
    assert spray(door, "ghost", secret("pass-r-9"), forwarded="10.5.0.2").result == WRONG


# --- time ---


def test_failed_answers_are_held_back(start, studio, domain):
    """A second as it comes, whether the user exists or not, and twice that for the next one."""
    door = Door(start("fairlead-broker", broker_config(
        studio, domain.config(), guard={}, **{"trusted-proxies": ["127.0.0.1"]})), studio.ca)

    def timed(job):
        name, address = job
        took = []
        for number in range(2):
            began = time.monotonic()
            assert spray(door, name, secret(f"pass-t-{number}-{name}-x"), forwarded=address).result == WRONG
            took.append(time.monotonic() - began)
        return took

    jobs = [(domain.people.victims[0].name, "10.6.0.1"), ("ghost", "10.7.0.1")]
    with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
        for took in pool.map(timed, jobs):
            assert took[0] >= 0.99 and took[1] >= 1.99, took


# --- every way in ---


def test_agent_counts_both_of_its_ways(start, studio, domain, tmp_path):
    """Direct connections and launches share one guard."""
    config = studio.agent(tmp_path, domains=["STUDIO"], directories=[domain.config()], guard=QUICK)
    del config["users"]
    agent = start("fairlead-agent", config)
    door = Door(agent, studio.ca, "direct")
    victim = domain.people.victims[3]

    def launch(password):
        with Talk(agent.address("launch"), studio.ca, "pcoip-agent", "1.0", messages.AGENT_PATH) as talk:
            return talk.ask(messages.launch(victim.name, password, "STUDIO")).result

    assert spray(door, victim.name, secret("agent-guess-1")).result == WRONG
    assert launch(secret("agent-guess-2")) == "FAILED_USER_AUTH"
    assert spray(door, victim.name, secret("agent-guess-3")).result == WRONG
    assert WAIT.fullmatch(spray(door, victim.name, victim.password).words)
    assert launch(victim.password) == "FAILED_USER_AUTH"
    assert locked(domain, [victim]) == 3


def refusals(door, mark=0):
    """Lines about an account that the directory has counted enough of."""
    return [line for line in door.log.since(mark) if re.search(
        r"Stage 2: Logon failed: too many failed attempts of this account "
        r"\(studio, ldaps://\S+, 4 bad passwords in the directory, locked at 5\)", line)]


def test_programs_that_share_a_directory(start, studio, domain, tmp_path):
    """Broker and agents have a guard each, all with the limits as they come; the directory has one account."""
    victim = domain.people.bob
    doors = [Door(start("fairlead-broker", broker_config(studio, domain.config(), guard=QUICK)), studio.ca)]
    for name in ("agent-1", "agent-2"):
        folder = tmp_path / name
        folder.mkdir()
        config = studio.agent(folder, domains=["STUDIO"], directories=[domain.config()], guard=QUICK)
        del config["users"]
        doors.append(Door(start("fairlead-agent", config, name), studio.ca, "direct"))
    replies = [spray(door, victim.name, secret(f"shared-guess-{at}-{number}"))
               for at, door in enumerate(doors) for number in range(3)]
    # Nobody is told that there is such an account.
    assert {(reply.result, reply.words) for reply in replies} == {(WRONG, UNKNOWN)}
    assert locked(domain, [victim]) == LOCK_AFTER - 1
    assert [len(refusals(door)) for door in doors] == [0, 2, 3]
    # The right password is not even tried, until the directory has forgotten.
    last = Door(start("fairlead-broker", broker_config(studio, domain.config(), guard=QUICK), "last"), studio.ca)
    tries = Tries(domain)
    last.wrong(victim.name, victim.password, WRONG, UNKNOWN, "too many failed attempts of this account",
               "4 bad passwords in the directory, locked at 5")
    assert tries.of(victim) == 0
    domain.forgive([victim])
    assert spray(last, victim.name, victim.password).result == COMPLETE


def test_launch_respects_the_directory(start, studio, domain, tmp_path):
    """The agent's other way in; and what others have counted is counted, too."""
    victim = domain.people.bob
    config = studio.agent(tmp_path, domains=["STUDIO"], directories=[domain.config()], guard=QUICK)
    del config["users"]
    agent = Door(start("fairlead-agent", config), studio.ca, "direct")
    for _ in range(LOCK_AFTER - 1):
        domain.bind(victim, "wrong")
    with Talk(agent.program.address("launch"), studio.ca, "pcoip-agent", "1.0", messages.AGENT_PATH) as talk:
        reply = talk.ask(messages.launch(victim.name, secret("launch-guess"), "STUDIO"))
    assert reply.result == "FAILED_USER_AUTH"
    assert locked(domain, [victim]) == LOCK_AFTER - 1
    assert len(refusals(agent)) == 1


def test_many_at_once_do_not_lock(door_to, domain):
    """Many read the directory's count before the others have failed."""
    victim = domain.people.alice
    door = door_to(off=True)
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        replies = list(pool.map(lambda number: spray(door, victim.name, secret(f"crowd-guess-{number}")), range(24)))
    assert {reply.result for reply in replies} == {WRONG}
    assert locked(domain, [victim]) == LOCK_AFTER - 1
    assert len(refusals(door)) == 24 - (LOCK_AFTER - 1)


def test_codes_are_guarded(start, studio, tmp_path):
    """A second factor cannot be guessed either, although the password is right each time."""
    alice = Person("alice", "editors")
    server = start.adopt(FreeRadius(tmp_path / "radius", codes={"alice": secret("C0de-guarded")}))
    config = broker_config(studio, users=[alice.config()], radius=[server.config()], guard=QUICK)
    door = Door(start("fairlead-broker", config), studio.ca)

    def guess(code):
        with door.talk(caps=True) as talk:
            reply = talk.ask(messages.authenticate("alice", alice.password, "STUDIO"))
            return answer(talk, dialog_of(reply), answer=code) if reply.result != DENIED else reply

    mark = server.server.log.mark()
    replies = [guess(f"guessed-{number}") for number in range(6)]
    assert [reply.result for reply in replies] == [WRONG] * 3 + [DENIED] * 3
    assert all(WAIT.fullmatch(reply.words) for reply in replies[3:])
    assert server.asked(mark) == 3


def test_file_users_are_guarded(start, studio):
    """As broker and agent come, with users in their configuration and nothing said about a guard."""
    door = Door(start("fairlead-broker", studio.broker(guard=QUICK)), studio.ca)
    replies = []
    for number in range(5):
        with door.talk() as talk:
            replies.append(talk.ask(messages.authenticate("alice", secret(f"file-guess-{number}"), "studio")))
    assert [reply.result for reply in replies] == [WRONG] * 3 + [DENIED] * 2


def test_off(door_to, domain):
    door = door_to(off=True)
    replies = [spray(door, "ghost", secret("pass-off-1"), forwarded="10.8.0.1") for _ in range(20)]
    assert [reply.result for reply in replies] == [WRONG] * 20
