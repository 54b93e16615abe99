"""A receiver of webhooks that can fail. Usage: receiver.py PORT answer|refuse|crash FILE; appends "notice id, tab, body" to FILE."""
import http.server
import os
import sys

port, mode, path = int(sys.argv[1]), sys.argv[2], sys.argv[3]


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open(path, "a", encoding="utf-8") as out:
            out.write(self.headers["Comity-Notice-Id"] + "\t" + body.decode().replace("\n", " ") + "\n")
            out.flush()
            os.fsync(out.fileno())
        if mode == "crash":
            os._exit(9)
        self.send_response(204 if mode == "answer" else 500)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


http.server.HTTPServer(("127.0.0.1", port), Receiver).serve_forever()
