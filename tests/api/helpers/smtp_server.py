#!/usr/bin/python3
"""An SMTP server that can misbehave: smtp_server.py FOLDER [--port N] [--cert FILE --key FILE]

Prints its ports as one line of JSON when it listens: "plain", and with a certificate "starttls" (which requires
STARTTLS and a login) and "tls". Each mail that it accepts is a line of JSON in FOLDER/received. FOLDER/mode, which is
read at each step, has one of these values:

    accept          accepts everything
    refuse          550 to recipients that begin with "refused"
    refuse-data     554 to the message
    refuse-sender   550 to the sender
    later           451 to recipients that begin with "later"
    closing         421 to every recipient
    slow            accepts the message after half a second
    slow-N          accepts the message after N milliseconds
    doze            slow for recipients that begin with "slow"
    hang            sends nothing to a new connection
    hang-at-end     accepts mails, but does not respond to QUIT
    refuse-and-hang refuse and hang-at-end combined
    close           closes a new connection at once
"""

import argparse
import asyncio
import itertools
import json
import ssl
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult

USER, PASSWORD = b"school", b"s3cret-of-the-relay"

connections = itertools.count(1)


class Handler:
    def __init__(self, folder):
        self.folder = folder

    def mode(self):
        return (self.folder / "mode").read_text().strip()

    async def handle_MAIL(self, server, session, envelope, address, options):
        if self.mode() == "refuse-sender":
            return "550 5.7.1 this sender is not welcome"
        envelope.mail_from = address
        return "250 ok"

    async def handle_RCPT(self, server, session, envelope, address, options):
        mode = self.mode()
        if mode.startswith("refuse") and address.startswith("refused"):
            return "550 5.1.1 no such mailbox"
        if mode == "later" and address.startswith("later"):
            return "451 4.7.1 come back later"
        if mode == "closing":
            return "421 4.3.2 shutting down"
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server, session, envelope):
        if self.mode() == "refuse-data":
            return "554 5.6.0 message refused"
        line = json.dumps({
            "connection": server.connection, "from": envelope.mail_from, "to": envelope.rcpt_tos,
            "hello": session.host_name, "login": session.authenticated,
            "tls": server.transport.get_extra_info("ssl_object") is not None,
            "content": envelope.original_content.decode("latin-1"),
        })
        with open(self.folder / "received", "a") as received:
            received.write(line + "\n")
        if self.mode().startswith("slow") or self.mode() == "doze" and envelope.rcpt_tos[0].startswith("slow"):
            await asyncio.sleep(int(self.mode().partition("-")[2] or 500) / 1000)
        return "250 taken"

    async def handle_QUIT(self, server, session, envelope):
        if "hang" in self.mode():
            await asyncio.sleep(3600)
        return "221 bye"


class Close(asyncio.Protocol):
    def connection_made(self, transport):
        transport.abort()


def login(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (USER, PASSWORD), handled=False)


async def serve(options):
    loop = asyncio.get_running_loop()
    handler = Handler(options.folder)

    def connect(**arguments):
        mode = handler.mode()
        if mode == "hang":
            return asyncio.Protocol()
        if mode == "close":
            return Close()
        server = SMTP(handler, hostname="relay.example", loop=loop, **arguments)
        server.connection = next(connections)
        return server

    async def listen(port=0, tls=None, **arguments):
        server = await loop.create_server(lambda: connect(**arguments), "127.0.0.1", port, ssl=tls)
        return server.sockets[0].getsockname()[1]

    ports = {"plain": await listen(options.port)}
    if options.cert:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options.cert, options.key)
        ports["starttls"] = await listen(tls_context=context, require_starttls=True, auth_required=True,
                                         authenticator=login)
        ports["tls"] = await listen(tls=context)
    print(json.dumps(ports), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--cert")
    parser.add_argument("--key")
    asyncio.run(serve(parser.parse_args()))
