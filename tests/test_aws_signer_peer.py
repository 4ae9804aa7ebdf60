#!/usr/bin/python3
"""Random requests, signed by us and by botocore: every signature must be the same.

    test_aws_signer_peer.py SIGN_REQUESTS [SEED]
"""

import datetime
import hashlib
import random
import subprocess
import sys
from urllib.parse import quote

try:
    import botocore.auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
except ImportError:
    print("1..0 # SKIP no python3-botocore here")
    sys.exit(0)

N_REQUESTS = 12000
REGIONS = ["us-east-1", "eu-central-1", "default", "garage", "us-gov-west-1"]
QUERY_NAMES = ["list-type", "prefix", "uploads", "a", "a-", "A", "versionId", "x-id", "\u00e4", "a b", "tagging"]
HEADERS = ["content-md5", "content-type", "if-none-match", "range", "x-amz-meta-a", "x-amz-meta-a-b",
           "x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id", "x-amz-tagging",
           "x-amz-checksum-sha256", "x-amz-object-lock-mode", "x-amz-storage-class"]
ALPHABET = "abcXYZ019-._~/ +=&%$:;,@!*'()[]{}|\\^`\"<>?#\u00e9\u4e2d\U0001f600"


def text(rng, longest, alphabet=ALPHABET):
    return "".join(rng.choice(alphabet) for _ in range(rng.randint(0, longest)))


def draw(rng):
    """One request: what a client may send, and much that no sane one would."""
    value = "abc XYZ/+=;:,\t-%\"'"
    return {
        "method": rng.choice(["GET", "PUT", "POST", "HEAD", "DELETE"]),
        "host": rng.choice(["s3.example.net", "bucket.s3.amazonaws.com", "127.0.0.1:9000", "s3.localhost:18443"]),
        "path": "/" + text(rng, 60),
        "hash": hashlib.sha256(rng.randbytes(8)).hexdigest(),
        "region": rng.choice(REGIONS),
        "seconds": rng.randint(1_400_000_000, 4_000_000_000),
        "id": "AK" + text(rng, 18, "ABCDEF0123456789") + "Z",
        "secret": "s" + text(rng, 80, "abcXYZ019/+="),
        "token": rng.choice(["", "FwoG" + text(rng, 300, "abcXYZ019/+=")]),
        # A name once only: which of two equal names comes first is the sender's choice.
        "query": [(name, text(rng, 30)) for name in rng.sample(QUERY_NAMES, rng.randint(0, 6))],
        "headers": [(name, "v" + text(rng, 40, value)) for name in rng.sample(HEADERS, rng.randint(0, 6))],
    }


def line_of(request):
    words = [request[name] for name in
             ("method", "host", "path", "hash", "region", "seconds", "id", "secret", "token")]
    for name, value in request["query"]:
        words += ["q", name, value]
    for name, value in request["headers"]:
        words += ["h", name, value]
    return "\t".join(str(word).encode().hex() for word in words)


class _Clock(datetime.datetime):
    seconds = 0

    @classmethod
    def utcnow(cls):
        return cls.utcfromtimestamp(cls.seconds)


def peer_signs(request):
    """Returns botocore's Authorization header."""
    _Clock.seconds = request["seconds"]
    url = f"https://{request['host']}{quote(request['path'], safe='/~')}"
    if request["query"]:
        url += "?" + "&".join(f"{quote(n, safe='-_.~')}={quote(v, safe='-_.~')}" for n, v in request["query"])
    headers = dict(request["headers"])
    headers["X-Amz-Content-SHA256"] = request["hash"]
    signed = AWSRequest(request["method"], url, headers=headers)
    credentials = Credentials(request["id"], request["secret"], request["token"] or None)

    class Auth(botocore.auth.S3SigV4Auth):
        def payload(self, _request):
            return request["hash"]

    Auth(credentials, "s3", request["region"]).add_auth(signed)
    return signed.headers["Authorization"].replace(", ", ",")


def main():
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(1 << 32)
    rng = random.Random(seed)
    print(f"# seed {seed}, {N_REQUESTS} requests")
    botocore.auth.datetime.datetime = _Clock
    requests = [draw(rng) for _ in range(N_REQUESTS)]
    ours = subprocess.run([sys.argv[1]], input="\n".join(map(line_of, requests)) + "\n",
                          capture_output=True, text=True, check=True).stdout.splitlines()
    wrong = 0
    for request, line in zip(requests, ours):
        wanted = peer_signs(request)
        if line.split("\t")[1] != wanted:
            wrong += 1
            if wrong <= 3:
                print(f"# {request}\n#   ours:   {line}\n#   theirs: {wanted}")
    print(f"{'ok' if len(ours) == N_REQUESTS else 'not ok'} 1 - every request was signed")
    print(f"{'not ok' if wrong else 'ok'} 2 - {N_REQUESTS} signatures are botocore's (seed {seed}; {wrong} differ)")
    print("1..2")
    sys.exit(1 if wrong or len(ours) != N_REQUESTS else 0)


main()
