#!/usr/bin/env python3
"""A small HTTP server with the same answers each time, for the cases about `get_url`, `uri` and `unarchive`.

Prints its port and serves until it is stopped. The recording and the tests in crates/modules both run it.
"""

import base64
import gzip
import hashlib
import http.server
import io
import json
import sys
import tarfile
import time
import urllib.parse

MODIFIED = "Wed, 01 Jan 2020 00:00:00 GMT"
TEXT = b"hello\n"


def archive():
    """A tar.gz with fixed times."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for name, content in (("web/one", b"1\n"), ("web/two", b"2\n")):
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode = len(content), 1577836800, 0o644
            tar.addfile(info, io.BytesIO(content))
    return gzip.compress(raw.getvalue(), mtime=0)


class Handler(http.server.BaseHTTPRequestHandler):
    def version_string(self):
        return "Recorder"

    def date_time_string(self, timestamp=None):
        return MODIFIED

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        headers.setdefault("Content_Type", "text/plain")
        for name, value in headers.items():
            for one in value if isinstance(value, list) else [value]:
                self.send_header(name.replace("_", "-"), one)
        if "Content_Length" not in headers and "Transfer_Encoding" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def echo(self, body):
        """What was asked, as JSON; without what belongs to this machine or to one client's habits."""
        skipped = ("host", "accept-encoding", "connection")
        headers = {k.lower(): v for k, v in self.headers.items() if k.lower() not in skipped}
        if headers.get("content-type", "").startswith("multipart/"):
            boundary = headers["content-type"].split("boundary=")[1].strip('"')
            body = body.replace(boundary.encode(), b"BOUNDARY")
            headers["content-type"] = headers["content-type"].replace(boundary, "BOUNDARY").replace('"', "")
            headers["content-length"] = "*"
        said = {"method": self.command, "path": self.path, "headers": dict(sorted(headers.items())),
                "body": body.decode("utf-8", "replace")}
        return json.dumps(said).encode()

    def basic(self):
        return "Basic " + base64.b64encode(b"joe:secret").decode()

    def digest(self):
        given = self.headers.get("Authorization", "")
        if not given.startswith("Digest "):
            return False
        parts = urllib.request.parse_keqv_list(urllib.request.parse_http_list(given[7:]))
        md5 = lambda text: hashlib.md5(text.encode()).hexdigest()
        one, two = md5("joe:Here:secret"), md5(f"{self.command}:{parts['uri']}")
        return parts["response"] == md5(":".join([one, parts["nonce"], parts["nc"], parts["cnonce"], parts["qop"], two]))

    def do(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        url = urllib.parse.urlsplit(self.path)
        path = url.path
        if url.netloc:  # asked as a proxy
            return self.answer(200, self.echo(body), Content_Type="application/json", X_Proxied="yes")
        if path in ("/file", "/dir/named.txt"):
            if self.headers.get("If-Modified-Since"):
                return self.answer(304)
            return self.answer(200, TEXT, Last_Modified=MODIFIED)
        if path == "/plain":
            return self.answer(200, TEXT)
        if path == "/echo":
            return self.answer(200, self.echo(body), Content_Type="application/json")
        if path == "/json":
            return self.answer(200, b'{"a": [1, 2.5, null, "\\u00e4"]}', Content_Type="application/json; charset=utf-8")
        if path == "/json404":
            return self.answer(404, b'{"why": "not"}', Content_Type="application/json")
        if path == "/problem":
            return self.answer(200, b'{"why": "not"}', Content_Type="application/problem+json")
        if path == "/badjson":
            return self.answer(200, b"{oops", Content_Type="application/json")
        if path == "/disposition":
            return self.answer(200, TEXT, Content_Disposition='attachment; filename="given.txt"')
        if path == "/evil":
            return self.answer(200, TEXT, Content_Disposition='attachment; filename="../../evil.txt"')
        if path == "/gzip":
            return self.answer(200, gzip.compress(TEXT, mtime=0), Content_Encoding="gzip")
        if path == "/latin":
            return self.answer(200, "ä\n".encode("latin-1"), Content_Type="text/plain; charset=iso-8859-1")
        if path == "/chunked":
            self.protocol_version = "HTTP/1.1"
            self.close_connection = True
            return self.answer(200, b"3\r\nhel\r\n3;x=y\r\nlo\n\r\n0\r\n\r\n", Transfer_Encoding="chunked")
        if path == "/short":
            return self.answer(200, b"hel", Content_Length="6")
        if path == "/nolength":
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.end_headers()
            return self.wfile.write(TEXT)
        if path == "/garbage":
            self.close_connection = True
            return self.wfile.write(b"this is not HTTP\r\n\r\n")
        if path == "/hangup":
            self.close_connection = True
            return None
        if path == "/slow":
            time.sleep(3)
            return self.answer(200, TEXT)
        if path == "/cookies":
            return self.answer(200, TEXT, Set_Cookie=["b=2; Path=/", "a=1; Path=/"])
        if path == "/cookie-redirect":
            return self.answer(302, Location="/echo", Set_Cookie="session=abc; Path=/")
        if path == "/twice":
            return self.answer(200, TEXT, X_Twice=["one", "two"])
        if path == "/basic":
            if self.headers.get("Authorization") == self.basic():
                return self.answer(200, b"welcome\n")
            return self.answer(401, b"who are you\n", WWW_Authenticate='Basic realm="Here"')
        if path == "/basic-only":  # does not ask
            return self.answer(200 if self.headers.get("Authorization") == self.basic() else 403, b"x\n")
        if path == "/digest":
            if self.digest():
                return self.answer(200, b"welcome\n")
            return self.answer(401, b"who are you\n", WWW_Authenticate='Digest realm="Here", nonce="abc", qop="auth", algorithm=MD5')
        if path.startswith("/redirect/"):
            code = path.split("/")[2]
            if not code.isdigit():
                return self.answer(200, b"beside\n")
            to = urllib.parse.parse_qs(url.query).get("to", ["/echo"])[0]
            return self.answer(int(code), Location=to)
        if path == "/loop":
            return self.answer(302, Location="/loop")
        if path.startswith("/status/"):
            return self.answer(int(path.split("/")[2]), b"said\n")
        if path == "/sums":
            sums = hashlib.sha256(TEXT).hexdigest()
            return self.answer(200, f"{'0' * 64}  other\n{sums}  file\n{'1' * 64} *given.txt\n".encode())
        if path == "/sum":
            return self.answer(200, hashlib.sha256(TEXT).hexdigest().encode() + b"\n")
        if path == "/a.tar.gz":
            return self.answer(200, archive(), Content_Type="application/gzip")
        if path == "/put" and self.command == "PUT":
            return self.answer(201, self.echo(body), Content_Type="application/json", Location="/made")
        return self.answer(404, b"not here\n")

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = do_PATCH = do_OPTIONS = do_PURGE = do


if __name__ == "__main__":
    import urllib.request  # noqa: for the digest

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()
