"""The strict fake as a process of its own, behind a link: far_store.py HOST PORT CERTIFICATE KEY FOLDER
Every object is written into FOLDER as it is stored, for the oracle."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from bed import ACCESS_KEY, BUCKET, RIGHTS, SECRET
from fakes.s3_fake import S3Fake


class Objects(dict):
    def __init__(self, folder):
        super().__init__()
        self.folder = pathlib.Path(folder)

    def __setitem__(self, key, versions):
        super().__setitem__(key, versions)
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name("." + path.name)
        partial.write_bytes(versions[-1].body)
        partial.rename(path)


def main():
    host, port, certificate, key, folder = sys.argv[1:]
    fake = S3Fake(host=host, port=int(port), tls=(certificate, key))
    fake.add_bucket(BUCKET).objects = Objects(folder)
    fake.add_key(ACCESS_KEY, SECRET, rights=RIGHTS)
    print("listening", flush=True)
    fake.server.serve_forever(0.1)


if __name__ == "__main__":
    main()
