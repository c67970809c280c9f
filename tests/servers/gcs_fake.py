"""A small fake of Google Cloud Storage's XML API: what codec-proxy's client asks of it.

It is a fake, not an emulator: written from the API's documentation, so it shows that the client
is used as documented, not that Google would answer so. It is strict where a mistake would hurt:
the bearer token must be a JWT that the service account's own key has signed and that has not
expired; a body that is cut off leaves nothing; parts but the last have 5 MiB or more; lists come
in pages.

    gcs_fake.py FOLDER BUCKET    serves until its standard input ends

The first line it prints is {"port": ..., "account": {a service account's JSON}}.
"""

import base64
import hashlib
import http.server
import json
import pathlib
import re
import shutil
import sys
import threading
import time
import urllib.parse
import uuid
import xml.etree.ElementTree as xml
from email.utils import formatdate
from xml.sax.saxutils import escape

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

PAGE = 150
LEAST_PART = 5 * 1024 * 1024
EMAIL = "tests@lab.iam.gserviceaccount.com"

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
LOCK = threading.Lock()
OBJECTS = {}  # key -> (file, size, ETag, generation)
UPLOADS = {}  # id -> (key, {number: (file, size, ETag)})


class Refused(Exception):
    def __init__(self, status, code):
        super().__init__(code)
        self.status, self.code = status, code


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Small answers must not wait for the acknowledgement of their heads.
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def serve(self):
        url = urllib.parse.urlsplit(self.path)
        self.query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        _, bucket, *key = url.path.split("/", 2)
        self.key = urllib.parse.unquote(key[0]) if key else ""
        body = None
        try:
            body = self.receive()
            signed(self.headers.get("Authorization", ""))
            if urllib.parse.unquote(bucket) != BUCKET:
                raise Refused(404, "NoSuchBucket")
            if not self.key:
                self.list()
            else:
                getattr(self, self.command.lower() + "_object")(body)
        except Refused as refused:
            text = f"<?xml version='1.0'?><Error><Code>{refused.code}</Code></Error>"
            self.answer(refused.status, text.encode())
        finally:
            if body and body[0].exists() and body[0].name.startswith("body-"):
                body[0].unlink()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = serve

    def receive(self):
        """The body in a file of its own, its size and its ETag."""
        left = int(self.headers.get("Content-Length") or 0)
        file, md5 = FOLDER / f"body-{uuid.uuid4().hex}", hashlib.md5()
        size = left
        with file.open("wb") as out:
            while left:
                chunk = self.rfile.read(min(left, 1 << 20))
                if not chunk:
                    file.unlink()
                    raise ConnectionError("cut off")
                md5.update(chunk)
                out.write(chunk)
                left -= len(chunk)
        return file, size, f'"{md5.hexdigest()}"'

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        headers.setdefault("Content_Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def list(self):
        if self.command != "GET" or self.query.get("list-type") != "2":
            raise Refused(400, "InvalidArgument")
        prefix, after = self.query.get("prefix", ""), self.query.get("continuation-token", "")
        with LOCK:
            keys = sorted(k for k in OBJECTS if k.startswith(prefix) and k > after)
            page, rest = keys[:PAGE], keys[PAGE:]
            found = "".join(
                f"<Contents><Key>{escape(key)}</Key><Size>{OBJECTS[key][1]}</Size>"
                f"<ETag>{escape(OBJECTS[key][2])}</ETag>"
                "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
                for key in page
            )
        if rest:
            found += f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>"
        truncated = str(bool(rest)).lower()
        text = f"<ListBucketResult><IsTruncated>{truncated}</IsTruncated>{found}</ListBucketResult>"
        self.answer(200, text.encode())

    def get_object(self, _):
        with LOCK:
            if self.key not in OBJECTS:
                raise Refused(404, "NoSuchKey")
            path, size, etag, generation = OBJECTS[self.key]
            file = path.open("rb")
        first, last, status = 0, size - 1, 200
        headers = {}
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked:
            first, last, status = int(asked[1]), min(int(asked[2] or last), last), 206
            if first >= size:
                raise Refused(416, "InvalidRange")
            headers["Content-Range"] = f"bytes {first}-{last}/{size}"
        self.answer(
            status,
            Content_Length=str(last - first + 1),
            ETag=etag,
            Last_Modified=formatdate(usegmt=True),
            x_goog_generation=str(generation),
            **headers,
        )
        with file:
            file.seek(first)
            left = last - first + 1
            while self.command == "GET" and left:
                chunk = file.read(min(left, 1 << 18))
                self.wfile.write(chunk)
                left -= len(chunk)

    head_object = get_object

    def put_object(self, body):
        if "uploadId" in self.query:
            with LOCK:
                key, parts = UPLOADS.get(self.query["uploadId"], (None, None))
            if key != self.key:
                raise Refused(404, "NoSuchUpload")
            part = body[0].rename(FOLDER / f"part-{uuid.uuid4().hex}")
            parts[int(self.query["partNumber"])] = (part, *body[1:])
            self.answer(200, ETag=body[2])
            return
        wanted = self.headers.get("x-goog-if-generation-match")
        self.publish(body, wanted)

    def publish(self, body, wanted=None, answer=b""):
        with LOCK:
            there = str(OBJECTS[self.key][3]) if self.key in OBJECTS else "0"
            if wanted is not None and wanted != there:
                raise Refused(412, "PreconditionFailed")
            generation = time.time_ns()
            file = body[0].rename(FOLDER / f"object-{generation}-{uuid.uuid4().hex}")
            OBJECTS[self.key] = (file, *body[1:], generation)
        self.answer(200, answer, ETag=body[2], x_goog_generation=str(generation))

    def post_object(self, body):
        if "uploads" in self.query:
            upload = uuid.uuid4().hex
            UPLOADS[upload] = (self.key, {})
            text = (
                "<InitiateMultipartUploadResult>"
                f"<UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"
            )
            self.answer(200, text.encode())
            return
        key, parts = UPLOADS.get(self.query.get("uploadId"), (None, None))
        if key != self.key:
            raise Refused(404, "NoSuchUpload")
        told = [
            (int(part.findtext("PartNumber")), part.findtext("ETag"))
            for part in xml.fromstring(body[0].read_text())
        ]
        if told != [(number, parts[number][2]) for number in sorted(parts)]:
            raise Refused(400, "InvalidPart")
        if any(parts[number][1] < LEAST_PART for number, _ in told[:-1]):
            raise Refused(400, "EntityTooSmall")
        whole = FOLDER / f"body-{uuid.uuid4().hex}"
        with whole.open("wb") as out:
            for number, _ in told:
                with parts[number][0].open("rb") as part:
                    shutil.copyfileobj(part, out, 1 << 20)
                parts[number][0].unlink()
        del UPLOADS[self.query["uploadId"]]
        etag = f'"{uuid.uuid4().hex}-{len(told)}"'
        size = sum(parts[number][1] for number, _ in told)
        text = (
            "<CompleteMultipartUploadResult>"
            f"<ETag>{escape(etag)}</ETag></CompleteMultipartUploadResult>"
        )
        self.publish((whole, size, etag), answer=text.encode())

    def delete_object(self, _):
        with LOCK:
            if "uploadId" in self.query:
                _, parts = UPLOADS.pop(self.query["uploadId"], (None, {}))
                files = [part[0] for part in parts.values()]
            elif self.key in OBJECTS:
                files = [OBJECTS.pop(self.key)[0]]
            else:
                raise Refused(404, "NoSuchKey")
        for file in files:
            file.unlink()
        self.answer(204)


def signed(authorization):
    """Refuses a request whose token is not the service account's."""
    try:
        signed_part, signature = authorization.removeprefix("Bearer ").rsplit(".", 1)
        head, claims = (json.loads(decode(part)) for part in signed_part.split("."))
        KEY.public_key().verify(
            decode(signature), signed_part.encode(), padding.PKCS1v15(), hashes.SHA256()
        )
    except (ValueError, InvalidSignature):
        raise Refused(401, "AuthenticationRequired") from None
    if head["alg"] != "RS256" or claims["iss"] != EMAIL or not claims["exp"] > time.time():
        raise Refused(403, "AccessDenied")


def decode(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 100
    daemon_threads = True

    def handle_error(self, *_):
        pass  # a client that has hung up


if __name__ == "__main__":
    FOLDER, BUCKET = pathlib.Path(sys.argv[1]), sys.argv[2]
    server = Server(("127.0.0.1", 0), Handler)
    port = server.server_address[1]
    pem = KEY.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    account = {
        "type": "service_account",
        "client_email": EMAIL,
        "private_key_id": "1",
        "private_key": pem.decode(),
        "gcs_base_url": f"http://127.0.0.1:{port}",
    }
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"port": port, "account": account}), flush=True)
    sys.stdin.read()
