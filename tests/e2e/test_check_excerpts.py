"""Excerpts of real logs, where a folder of them lies beside the tree: each is judged as its collector expects.

They are nobody's to publish, so the tree has none; where the folder is not there, nothing is tested. The table
says, by the number at the end of an excerpt's name, every diagnostic that must say something, and what. No
excerpt may have a failure or a warning that is not named here.
"""

import json
import os
import pathlib
import re

import pytest

from programs import TREE, program, run

FOLDER = pathlib.Path(os.environ.get("FAIRLEAD_EXCERPTS", TREE.parent / "shared" / "logs"))
EXCERPTS = {re.search(r"-(\d{3})\.log$", path.name)[1]: path for path in sorted(FOLDER.glob("*-[0-9][0-9][0-9].log"))}

#: number: "diagnostic result, result; diagnostic result ..."
EXPECTED = {
    "038": "session-authentication fail",
    "039": "checkout-license pass; license-expiry pass",
    "040": "checkout-license pass; license-expiry pass",
    "041": "checkout-license fail",
    "042": "radius-response fail",
    "043": "monitor-power-saving note",
    "044": "mac-accessibility fail",
    "045": "mac-screen-recording fail",
    "046": "disconnect-session warning",
    "047": "license-certificate fail",
    "048": "license-grace-period fail",
    "049": "agent-type pass",
    "050": "agent-start fail; agent-type pass",
    "051": "operating-system pass",
    "052": "memory pass",
    "053": "host-certificate pass",
    "054": "host-certificate warning",
    "055": "host-certificate fail",
    "056": "ultra-capability warning",
    "057": "fixed-resolution note",
    "058": "initiate-session pass",
    "059": "session-authentication fail; resource-allocation pass; connection-path pass",
    "060": "session-authentication fail",
    "061": "resource-allocation pass; connection-path pass",
    "063": "prepare-host pass",
    "064": "checkout-license pass; license-expiry pass",
    "066": "checkout-license fail",
    "067": "checkout-license fail, fail",
    "068": "accept-payload pass",
    "069": "license-configuration pass",
    "070": "license-configuration pass",
    "071": "license-configuration fail",
    "072": "license-configuration fail",
    "073": "license-configuration fail; license-grace-period warning",
    "074": "gpu-model note",
    "075": "gpu-model note",
    "076": "grid-license pass",
    "077": "accept-payload fail; blocked-port fail; disconnect-session note",
    "078": "accept-payload fail; blocked-port fail; disconnect-session note",
    "079": "display-driver pass",
    "080": "display-driver pass",
    "081": "display-driver fail, fail, fail, fail; clock-difference pass, pass, pass, warning",
    "082": "headless note",
    "084": "video-heads pass",
    "086": "display-acceleration fail",
    "087": "clock-difference warning",
    "088": "clock-difference warning",
    "089": "",
    "090": "network-loss fail, warning",
    "091": "network-latency pass; network-jitter pass",
    "092": "desktop-installed pass",
    "094": "xorg-start pass",
    "096": "license-configuration pass",
    "097": "license-configuration pass",
    "098": "license-configuration fail",
    "099": "license-configuration fail",
    "100": "license-configuration fail",
    "101": "license-configuration fail",
    "102": "license-configuration fail",
    "103": "license-configuration fail",
    "104": "client-version pass",
    "105": "memory pass",
    "106": "client-hostname note",
    "107": "client-certificate pass",
    "108": "client-certificate pass",
    "109": "client-certificate warning",
    "110": "client-certificate fail",
    "111": "initiate-session pass",
    "112": "initiate-session fail",
    "113": "security-mode warning",
    "114": "session-authentication pass",
    "115": "session-authentication pass",
    "116": "session-authentication fail; client-broker-result fail",
    "118": "resource-list pass",
    "120": "resource-allocation pass",
    "121": "resource-allocation fail; blocked-port fail; client-broker-result fail",
    "122": "pre-session pass",
    "123": "client-host-certificate pass",
    "124": "client-host-certificate warning",
    "125": "accept-payload pass",
    "126": "accept-payload fail; blocked-port fail",
    "127": "accept-payload fail; blocked-port fail",
    "128": "",
    "129": "",
    "130": "display-mode note, note",
    "131": "disconnect-session note",
    "132": "resolution pass; clock-difference warning",
    "133": "display-driver pass",
    "134": "initiate-session pass; video-heads pass",
    "135": "resolution note; network-latency pass",
    "136": "session-authentication fail; pre-session pass; client-broker-result fail",
    "137": "xorg-start pass; desktop-installed pass",
    "138": "resource-allocation pass; client-broker-result pass",
    "139": "display-driver pass",
    "140": "resource-allocation fail; blocked-port fail; client-broker-result fail",
    "141": "accept-payload fail; blocked-port fail; disconnect-session note",
    "142": "accept-payload fail; blocked-port fail; disconnect-session note",
}


def expected(number):
    found = {}
    for part in filter(None, EXPECTED[number].split("; ")):
        name, _, results = part.partition(" ")
        found[name] = sorted(results.split(", "))
    return found


@pytest.mark.skipif(not EXCERPTS, reason="no folder with excerpts beside the tree")
def test_every_excerpt_is_named():
    assert set(EXCERPTS) == set(EXPECTED)


@pytest.mark.parametrize("number", sorted(EXCERPTS))
def test_excerpt(number):
    done = run(program("fairlead"), "check", "--format", "json", EXCERPTS[number])
    document = json.loads(done.stdout)
    found = {}
    for session in [*document["sessions"], document["host"]]:
        for one in session["diagnostics"]:
            if one["result"] != "no-evidence":
                found.setdefault(one["id"], []).append(one["result"])
    wanted = expected(number)
    assert {name: sorted(found.get(name, [])) for name in wanted} == wanted, found
    troubles = {name: sorted(set(results) & {"fail", "warning"}) for name, results in found.items()}
    assert {name: results for name, results in troubles.items() if results} == {
        name: sorted(set(results) & {"fail", "warning"}) for name, results in wanted.items()
        if set(results) & {"fail", "warning"}}
