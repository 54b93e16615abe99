"""A party's URL whose clock is off: clock.py PORT SECONDS [CERTIFICATE KEY]: answers 404 with a Date so many seconds ahead."""
import email.utils
import http.server
import ssl
import sys
import time


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response_only(404)
        self.send_header("Date", email.utils.formatdate(time.time() + float(sys.argv[2]), usegmt=True))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
if len(sys.argv) > 3:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[3], sys.argv[4])
    server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
