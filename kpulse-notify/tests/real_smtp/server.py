"""A mail server that is not ours, in each of six ways, and what Python's own library makes of each mail.

Called with a certificate and its key. The first line written is the port of each way, as JSON; each further line is a
mail. Ends with its standard input.
"""

import asyncio
import json
import logging
import ssl
import sys
from email import message_from_bytes, policy
from html.parser import HTMLParser

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

LOGIN = LoginPassword(login=b"ops", password=b"pa ss:w\xc3\xb6rd")


class Shown(HTMLParser):
    """The text of a page, and which elements were opened and not closed."""

    VOID = {"meta", "br"}

    def __init__(self):
        super().__init__()
        self.text, self.open, self.wrong = [], [], []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "title"):
            self.text.append(data)


def part(part):
    content = part.get_content()
    found = {
        "type": part.get_content_type(),
        "charset": part.get_content_charset(),
        "encoding": part["content-transfer-encoding"],
        "text": content,
        "defects": [str(defect) for defect in part.defects],
    }
    if part.get_content_subtype() == "html":
        shown = Shown()
        shown.feed(content)
        shown.close()
        found["text"] = " ".join(" ".join(shown.text).split())
        found["defects"] += [f"unbalanced: {tag}" for tag in shown.wrong + shown.open]
    return found


def mail(way, session, envelope):
    message = message_from_bytes(envelope.content, policy=policy.default)
    defects = [f"{name}: {defect}" for name, value in message.items() for defect in value.defects]
    return {
        "way": way,
        "hello": session.host_name,
        "encrypted": session.ssl is not None or way.startswith("implicit"),
        "login": bool(session.authenticated),
        "envelope": {"from": envelope.mail_from, "to": envelope.rcpt_tos},
        "content_type": message.get_content_type(),
        "headers": {name.lower(): str(value) for name, value in message.items()},
        "from": [[address.display_name, address.addr_spec] for address in message["from"].addresses],
        "to": [[address.display_name, address.addr_spec] for address in message["to"].addresses],
        "date": message["date"].datetime.timestamp(),
        "body": part(message.get_body(("plain",)))["text"],
        "preferred": message.get_body().get_content_type(),
        "parts": [part(child) for child in message.iter_parts()],
        "defects": defects + [str(defect) for defect in message.defects],
        "ascii": envelope.original_content.isascii(),
    }


class Handler:
    def __init__(self, way):
        self.way = way

    async def handle_DATA(self, server, session, envelope):
        print(json.dumps(mail(self.way, session, envelope)), flush=True)
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    return AuthResult(success=data == LOGIN, handled=False)


async def main(certificate, key):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    loop, ports, servers = asyncio.get_running_loop(), {}, []
    for way in ("plain", "starttls", "implicit"):
        for login in (False, True):
            name = f"{way}+login" if login else way
            options = {"hostname": "localhost", "enable_SMTPUTF8": False}
            if way == "starttls":
                options |= {"tls_context": context, "require_starttls": True}
            if login:
                options |= {
                    "authenticator": authenticate,
                    "auth_required": True,
                    "auth_require_tls": way == "starttls",
                }
            make = lambda name=name, options=options: SMTP(Handler(name), loop=loop, **options)
            wrapped = context if way == "implicit" else None
            server = await loop.create_server(make, "127.0.0.1", 0, ssl=wrapped)
            ports[name] = server.sockets[0].getsockname()[1]
            servers.append(server)
    print(json.dumps(ports), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


# A client that hangs up because it does not trust the certificate is wanted.
logging.getLogger("mail.log").setLevel(logging.CRITICAL)
asyncio.run(main(*sys.argv[1:]))
