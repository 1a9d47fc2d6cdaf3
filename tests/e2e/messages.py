"""Messages of the broker protocol, the launch API and the licence exchange, written by hand from the specification."""

import xml.etree.ElementTree as ElementTree
from xml.sax.saxutils import escape

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
BROKER_PATH = "/pcoip-broker/xml"
AGENT_PATH = "/pcoip-agent/xml"
LICENSE_PATH = "/fairlead-license/xml"

#: Every secret that was sent or received: none may be in any log.
SECRETS = set()


def secret(text):
    if text and len(text) >= 6:
        SECRETS.add(text)
    return text


def envelope(body, root="pcoip-client", version="2.1"):
    return f'{DECLARATION}<{root} version="{version}">\n{body}\n</{root}>\n'


def hello(product="Some PCoIP Client", hostname="client-7", extra="", locale="en_US"):
    return f"""<hello>
   <client-info>
      <product-name>{escape(product)}</product-name>
      <product-version>3.1.5</product-version>
      <platform>Windows 7 64-bit</platform>
      <locale>{escape(locale)}</locale>
      <hostname>{escape(hostname)}</hostname>
      <serial-number>123456</serial-number>
      <device-name>some-name</device-name>
   </client-info>{extra}
</hello>"""


#: As the specification page has it between manager and broker.
PCM_INFO = """
   <pcm-info>
      <product-name>Teradici PCoIP Connection Manager</product-name>
      <product-version>1.0.0.12345</product-version>
      <platform>Ubuntu 14.4 64-bit</platform>
      <ip-address>10.0.136.93</ip-address>
      <hostname>cm1.example.com</hostname>
   </pcm-info>"""

#: As real clients send it.
CAPS = """
   <caps><cap>CAP_DISCLAIMER_AUTHENTICATION</cap><cap>CAP_DIALOG_AUTHENTICATION</cap></caps>
   <server-address><ip-address>127.0.0.1</ip-address><hostname>broker.example</hostname></server-address>"""

QUERY = """<hello><client-info><product-name>QueryBrokerClient</product-name>
<product-version>1.0</product-version><platform>PCoIP</platform><locale>en_US</locale>
<hostname>client-7</hostname><serial-number>0</serial-number><device-name>client-7</device-name>
</client-info></hello>"""


def authenticate(user, password, domain="studio"):
    secret(password)
    return f"""<authenticate method="password" >
   <username>{escape(user)}</username>
   <password>{escape(password)}</password>
   <domain>{escape(domain)}</domain>
</authenticate>"""


def dialog(identifier, **answers):
    """The answer to a dialog; "_" in a name stands for "-"."""
    for value in answers.values():
        secret(value)
    entries = "".join(f'<answer name="{name.replace("_", "-")}">{escape(value)}</answer>'
                      for name, value in answers.items())
    return f'<authenticate method="dialog"><dialog-id>{escape(identifier)}</dialog-id>{entries}</authenticate>'


def disclaimer(accepted=True):
    return (f'<authenticate method="disclaimer"><disclaimer-accepted>{str(accepted).lower()}'
            "</disclaimer-accepted></authenticate>")


GET_RESOURCE_LIST = "<get-resource-list>\n</get-resource-list>"

#: With the filters that real clients send.
GET_RESOURCE_LIST_FILTERED = (
    "<get-resource-list><protocols><protocol>PCOIP</protocol></protocols>"
    "<resource-types><resource-type>DESKTOP</resource-type></resource-types></get-resource-list>"
)


def allocate(resource, extra=""):
    return f"""<allocate-resource>
   <resource-id>{escape(resource)}</resource-id>
   <protocol>PCOIP</protocol>
   <client-info>
      <time-zone-windows>Pacific Standard Time</time-zone-windows>
      <ip-address>192.168.0.57</ip-address>
      <mac-address>00:67:a8:2d:84:7e</mac-address>
   </client-info>{extra}
</allocate-resource>"""


BYE = "<bye>\n   <reason>Connection complete</reason>\n</bye>"

#: The specification page's malformed example, line by line.
MALFORMED = DECLARATION + """<pcoip-broker version="2.1">
   <hello>
      <client-info>
   </hello>
</pcoip-broker>
"""


def launch(user, password, domain="studio", license_path="", log_id="", address="127.0.0.1"):
    secret(password)
    return f"""<launch-session><session-type>UNSPECIFIED</session-type>
 <ip-address>{address}</ip-address><hostname>ws-1.example</hostname>
 <logon method="windows-password"><username>{escape(user)}</username><password>{escape(password)}</password><domain>{domain}</domain></logon>
 <client-mac>00:67:a8:2d:84:7e</client-mac><client-ip>10.27.0.5</client-ip><client-name>ford</client-name>
 <license-path>{license_path}</license-path><session-log-id>{log_id}</session-log-id>
</launch-session>"""


def checkout(host, feature="standard", hostname="ws-9", seconds=None):
    wanted = f"<lease-seconds>{seconds}</lease-seconds>" if seconds else ""
    return (
        f"<checkout-license><license-feature>{feature}</license-feature><host-id>{host}</host-id>"
        f"<hostname>{hostname}</hostname>"
        f"<session-log-id>49756700-6f13-1039-a32b-02c4a91e7d01</session-log-id>{wanted}</checkout-license>"
    )


def lease_message(kind, lease, host):
    return f"<{kind}-license><lease-id>{lease}</lease-id><host-id>{host}</host-id></{kind}-license>"


class Reply:
    """A message that came back: its root, its one element, and texts by path."""

    def __init__(self, body):
        self.root = ElementTree.fromstring(body)
        children = list(self.root)
        assert len(children) == 1, f"exactly one message expected in {body!r}"
        self.message = children[0]
        for name in ("connect-tag", "session-tag"):
            for element in self.message.iter(name):
                secret(element.text)

    @property
    def name(self):
        return self.message.tag

    @property
    def version(self):
        return self.root.get("version")

    def text(self, path):
        element = self.message.find(path)
        return None if element is None else (element.text or "").strip()

    def texts(self, path):
        return [(element.text or "").strip() for element in self.message.findall(path)]

    @property
    def result(self):
        return self.text("result/result-id") or self.text("result-id")

    @property
    def words(self):
        return self.text("result/result-str") or self.text("result-str")

    @property
    def detail(self):
        return self.text("err-detail")

    def __repr__(self):
        return ElementTree.tostring(self.root, encoding="unicode")
