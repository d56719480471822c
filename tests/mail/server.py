"""A mail server for tests: aiosmtpd with the manners that tests ask for.

Prints its port, then writes each mail that it takes as one line of JSON into a file, before it
answers. It ends with its standard input, so that it never outlives the tests.
"""

import argparse
import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Handler:
    def __init__(self, options):
        self.options = options
        self.out = open(options.out, "a", encoding="utf-8")
        self.connections = {}
        self.put_off = set()
        self.closed = False
        self.slept = False

    def write(self, what):
        self.out.write(json.dumps(what, ensure_ascii=False) + "\n")
        self.out.flush()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody"):
            return "550 5.1.1 no such person here"
        if address.startswith("outside"):
            return "530 5.7.1 log in to send mails elsewhere"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        options = self.options
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        message_id = str(mail["Message-ID"])
        if options.greylist and message_id not in self.put_off:
            self.put_off.add(message_id)
            return "451 4.7.1 come back later"
        if options.close_once and not self.closed:
            self.closed = True
            server.transport.abort()
            return "250 nobody hears this"
        connection = self.connections.setdefault(id(server), len(self.connections) + 1)
        part = lambda kind: mail.get_body((kind,)).get_content()
        self.write(
            {
                "message_id": message_id,
                "from": str(mail["From"]),
                "to": envelope.rcpt_tos,
                "subject": str(mail["Subject"]),
                "date": str(mail["Date"]),
                "auto_submitted": str(mail["Auto-Submitted"]),
                "text": part("plain"),
                "html": part("html"),
                "encrypted": session.ssl is not None or options.security == "tls",
                "user": getattr(session, "auth_data", None),
                "connection": connection,
            }
        )
        if options.hang_s and not self.slept:
            self.slept = True
            await asyncio.sleep(options.hang_s)
        return "250 2.0.0 taken as " + message_id.strip("<>")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--security", choices=["none", "starttls", "tls"], default="none")
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--greylist", action="store_true")
    parser.add_argument("--close-once", action="store_true")
    parser.add_argument("--hang-s", type=float, default=0)
    options = parser.parse_args()

    handler = Handler(options)
    context = None
    if options.security != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.cert, options.key)

    def authenticate(server, session, envelope, mechanism, data):
        right = (options.user.encode(), options.password.encode())
        if (data.login, data.password) == right:
            return AuthResult(success=True, auth_data=options.user)
        handler.write({"refused": data.login.decode(errors="replace")})
        return AuthResult(success=False, handled=False)

    def protocol():
        return SMTP(
            handler,
            hostname="mail.test",
            tls_context=context if options.security == "starttls" else None,
            require_starttls=options.security == "starttls",
            authenticator=authenticate if options.user else None,
            auth_required=options.user is not None,
            auth_require_tls=options.security == "starttls",
        )

    async def serve():
        wrapped = context if options.security == "tls" else None
        loop = asyncio.get_running_loop()
        server = await loop.create_server(protocol, "127.0.0.1", options.port, ssl=wrapped)
        print(server.sockets[0].getsockname()[1], flush=True)
        await loop.run_in_executor(None, sys.stdin.read)

    asyncio.run(serve())


main()
