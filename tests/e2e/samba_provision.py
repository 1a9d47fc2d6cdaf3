#!/usr/bin/python3
"""Makes the database of a Samba domain controller in a folder, with the users and groups that a JSON document on
the standard input names. A process of its own, since Samba's Python modules keep state for as long as one lives.

    samba_provision.py FOLDER < domain.json

The configuration FOLDER/smb.conf must be there. Directories are made as its paths say."""

import json
import logging
import os
import pathlib
import sys

import ldb
from samba.auth import system_session
from samba.param import LoadParm
from samba.provision import provision
from samba.samdb import SamDB

#: Bits of userAccountControl.
NORMAL, DISABLED, NEVER_EXPIRES, SMARTCARD = 0x200, 0x2, 0x10000, 0x40000

PATHS = ("private dir", "lock directory", "state directory", "cache directory", "pid directory",
         "ncalrpc dir", "binddns dir")


#: 1 January 2020 in steps of 100 ns since 1601.
LONG_AGO = str(132223104000000000)


def quoted(password):
    """As unicodePwd wants it."""
    return f'"{password}"'.encode("utf-16-le")


class Domain:
    def __init__(self, folder, wanted):
        self.wanted = wanted
        self.parameters = LoadParm()
        self.parameters.load(str(folder / "smb.conf"))
        for path in PATHS:
            os.makedirs(self.parameters.get(path), exist_ok=True)
        logger = logging.getLogger("provision")
        logger.addHandler(logging.StreamHandler())
        logger.setLevel(logging.WARNING)
        provision(logger, system_session(), smbconf=str(folder / "smb.conf"), lp=self.parameters,
                  realm=wanted["realm"], domain=wanted["domain"], hostname="dc1",
                  hostip=wanted["address"], adminpass=wanted["admin-password"],
                  serverrole="active directory domain controller", dns_backend="NONE",
                  dom_for_fun_level=4, use_rfc2307=True, skip_sysvolacl=True, batch_mode=True)
        self.database = SamDB(session_info=system_session(), lp=self.parameters)
        self.base = str(self.database.domain_dn())
        self.dn = {}

    def fill(self):
        with Transaction(self.database):
            self._policy()
            for group in self.wanted["groups"]:
                self._group(group)
            for user in self.wanted["users"]:
                self._user(user)
            for group in self.wanted["groups"]:
                self._members(group)
        self.age_passwords()

    def _modify(self, dn, **changes):
        message = ldb.Message(dn if isinstance(dn, ldb.Dn) else ldb.Dn(self.database, dn))
        for name, value in changes.items():
            name = name.replace("_", "-")
            message[name] = ldb.MessageElement(value, ldb.FLAG_MOD_REPLACE, name)
        self.database.modify(message)

    def _child(self, name, container="CN=Users"):
        """A name of its own is put in as a value, so that nothing in it needs to be escaped here."""
        dn = ldb.Dn(self.database, f"CN=x,{container},{self.base}")
        dn.set_component(0, "CN", name)
        return dn

    def _policy(self):
        locks = self.wanted["lock-after"]
        half_an_hour = str(-30 * 60 * 10**7)
        self._modify(self.base, lockoutThreshold=str(locks), lockoutDuration=half_an_hour,
                     lockOutObservationWindow=half_an_hour, minPwdAge="0")

    def _group(self, group):
        dn = self._child(group["name"])
        self.database.add({"dn": dn, "objectClass": "group", "sAMAccountName": group["name"]})
        self.dn[group["name"]] = str(dn)

    def _user(self, user):
        dn = self._child(user.get("cn", user["name"]))
        control = NORMAL | (0 if user.get("ages") else NEVER_EXPIRES)
        if user.get("disabled"):
            control |= DISABLED
        if user.get("smartcard"):
            control |= SMARTCARD
        added = {"dn": dn, "objectClass": "user", "sAMAccountName": user["name"],
                 "unicodePwd": quoted(user["password"]), "userAccountControl": str(control)}
        if "login" in user:
            added["userPrincipalName"] = user["login"]
        self.database.add(added)
        self.dn[user["name"]] = str(dn)
        if user.get("must-change"):
            self._modify(dn, pwdLastSet="0")
        if user.get("expired"):
            self._modify(dn, accountExpires=LONG_AGO)
        if user.get("no-hours"):
            self._modify(dn, logonHours=bytes(21))
        if "workstations" in user:
            self._modify(dn, userWorkstations=user["workstations"])
        if "primary-group" in user:
            self._primary(dn, user["primary-group"])

    def _primary(self, dn, group):
        """A user has to be a member of his primary group before it may become that."""
        message = ldb.Message(ldb.Dn(self.database, self.dn[group]))
        message["member"] = ldb.MessageElement(str(dn), ldb.FLAG_MOD_ADD, "member")
        self.database.modify(message)
        found = self.database.search(base=self.dn[group], scope=ldb.SCOPE_BASE, attrs=["primaryGroupToken"])
        self._modify(dn, primaryGroupID=str(found[0]["primaryGroupToken"][0]))

    def _members(self, group):
        if group.get("members"):
            self._modify(self.dn[group["name"]], member=[self.dn[name] for name in group["members"]])

    def age_passwords(self):
        """The server sets the time of a password itself: only below its rules, in the partition's own file, can
        it be put into the past. To be done last."""
        names = [user["name"] for user in self.wanted["users"] if user.get("password-too-old")]
        file = f"{self.parameters.get('private dir')}/sam.ldb.d/{self.base.upper()}.ldb"
        partition = ldb.Ldb(file)
        for name in names:
            message = ldb.Message(ldb.Dn(partition, self.dn[name]))
            message["pwdLastSet"] = ldb.MessageElement(LONG_AGO, ldb.FLAG_MOD_REPLACE, "pwdLastSet")
            partition.modify(message)


class Transaction:
    def __init__(self, database):
        self.database = database

    def __enter__(self):
        self.database.transaction_start()

    def __exit__(self, kind, *_):
        if kind is None:
            self.database.transaction_commit()
        else:
            self.database.transaction_cancel()


if __name__ == "__main__":
    domain = Domain(pathlib.Path(sys.argv[1]), json.load(sys.stdin))
    domain.fill()
    json.dump(domain.dn, sys.stdout)
