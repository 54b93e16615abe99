"""A source that plays a CSAF provider (metadata, ROLIE, folder), an OSV archive and a catalogue of exploited vulnerabilities.

source.py PORT FOLDER LOG    serves FOLDER. Each request is a line of LOG: method, path, and what of Range, If-None-Match it had.
FOLDER/behaviour.json: {PATH: WHAT}, read anew at each request. WHAT: {"status": N}, {"redirect": URL}, {"cut": BYTES} (once),
{"endless": true}, {"no_range": true}, {"no_etag": true}.
"""
import hashlib
import http.server
import json
import os
import re
import socketserver
import sys

port, folder, log = int(sys.argv[1]), sys.argv[2], sys.argv[3]
cuts_done = set()


class Source(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def told(self):
        with open(log, "a") as f:
            f.write(f"{self.command} {self.path} range={self.headers.get('Range', '-')} "
                    f"tag={'yes' if self.headers.get('If-None-Match') or self.headers.get('If-Modified-Since') else 'no'} "
                    f"agent={self.headers.get('User-Agent', '-')}\n")

    def send(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def endless(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
        except OSError:
            self.close_connection = True

    def cut(self, body, headers, most, status=200):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:most])
        self.wfile.flush()
        self.close_connection = True

    def do_GET(self):
        self.told()
        path = self.path.split("?")[0]
        try:
            behaviour = json.load(open(f"{folder}/behaviour.json")).get(path, {})
        except FileNotFoundError:
            behaviour = {}
        if "status" in behaviour:
            return self.send(behaviour["status"])
        if "redirect" in behaviour:
            return self.send(302, headers=[("Location", behaviour["redirect"])])
        if behaviour.get("endless"):
            return self.endless()
        full = os.path.join(folder, path.lstrip("/"))
        if ".." in path or not os.path.isfile(full):
            return self.send(404)
        body = open(full, "rb").read()
        tag = '"' + hashlib.sha256(body).hexdigest()[:16] + '"'
        headers = [] if behaviour.get("no_etag") else [("ETag", tag)]
        wanted = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if self.headers.get("If-None-Match") == tag:
            return self.send(304, headers=headers)
        if wanted and not behaviour.get("no_range") and self.headers.get("If-Range", tag) == tag:
            first, last = wanted.groups()
            start = int(first) if first else max(0, len(body) - int(last))
            end = min(int(last) + 1 if first and last else len(body), len(body))
            headers.append(("Content-Range", f"bytes {start}-{end - 1}/{len(body)}"))
            return self.send(206, body[start:end], headers)
        if "cut" in behaviour and path not in cuts_done:
            cuts_done.add(path)
            return self.cut(body, headers, behaviour["cut"])
        return self.send(200, body, headers)


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    allow_reuse_address = True


Server(("127.0.0.1", port), Source).serve_forever()
