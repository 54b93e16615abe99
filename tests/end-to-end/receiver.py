"""A receiver of webhooks that can fail. Usage: receiver.py PORT answer|refuse|crash FILE [SECRET]; appends "notice id, tab, body" to FILE,
and with a secret whether the signature is good by Standard Webhooks."""
import base64
import hashlib
import hmac
import http.server
import os
import sys
import time

port, mode, path = int(sys.argv[1]), sys.argv[2], sys.argv[3]
secret = base64.b64decode(sys.argv[4].removeprefix("whsec_")) if len(sys.argv) > 4 else None


def signed(headers, body):
    if "webhook-signature" not in headers:
        return "unsigned"
    text = headers["webhook-id"].encode() + b"." + headers["webhook-timestamp"].encode() + b"." + body
    wanted = "v1," + base64.b64encode(hmac.new(secret, text, hashlib.sha256).digest()).decode()
    fresh = abs(time.time() - int(headers["webhook-timestamp"])) < 300
    good = hmac.compare_digest(wanted, headers["webhook-signature"]) and headers["webhook-id"] == headers["Comity-Notice-Id"]
    return "signed" if good and fresh else "bad"



class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open(path, "a", encoding="utf-8") as out:
            out.write(self.headers["Comity-Notice-Id"] + "\t" + body.decode().replace("\n", " ") + ("\t" + signed(self.headers, body) if secret else "") + "\n")
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
