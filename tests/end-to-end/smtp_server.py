"""A real SMTP server that can fail. Usage: smtp_server.py PORT TLS CERT KEY FOLDER MODE-FILE

TLS: implicit (smtps), starttls (required before MAIL), or none (none is offered). It wants the user "node" with the password
"correct horse". Before each message it reads MODE-FILE: take, refuse (550 to the recipient), drop (the connection, within DATA), crash
(it writes the message down, and dies before it answers), or delay (it answers after a second). Messages go to FOLDER/N.eml."""
import asyncio
import os
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

port, tls, certificate, key, folder, mode_file = sys.argv[1:7]
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(certificate, key)


def mode():
    with open(mode_file, encoding="ascii") as file:
        return file.read().strip()


def keep(envelope):
    number = len(os.listdir(folder)) + 1
    with open(f"{folder}/{number:04}.new", "wb") as out:
        out.write(b"X-From: " + envelope.mail_from.encode() + b"\r\nX-To: " + " ".join(envelope.rcpt_tos).encode() + b"\r\n")
        out.write(envelope.original_content)
        out.flush()
        os.fsync(out.fileno())
    os.rename(f"{folder}/{number:04}.new", f"{folder}/{number:04}.eml")


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if mode() == "refuse":
            return "550 no such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        what = mode()
        if what == "drop":
            server.transport.abort()
            return "451 gone"
        keep(envelope)
        if what == "crash":
            os._exit(9)
        if what == "delay":
            await asyncio.sleep(1)
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and data.login == b"node" and data.password == b"correct horse"
    return AuthResult(success=good)


class Server(Controller):
    def factory(self):
        starttls = context if tls == "starttls" else None
        return SMTP(self.handler, authenticator=authenticate, auth_required=tls != "none", auth_require_tls=tls == "starttls",
                    tls_context=starttls, require_starttls=tls == "starttls", hostname="localhost")


server = Server(Handler(), hostname="127.0.0.1", port=int(port), ssl_context=context if tls == "implicit" else None)
server.start()
asyncio.new_event_loop().run_forever()
