"""Opens a sample that left the vault with tools that share no code with this project.

FORM cart: the package `cart`, whole and by its metadata alone. FORM zip: `pyzipper`. FORM zip-legacy: Python's own
`zipfile`. Prints one JSON object: the sample's SHA-256 and size, and the name inside.
"""

import argparse
import hashlib
import io
import json
import pathlib
import zipfile

import pyzipper
from cart import get_metadata_only, unpack_stream

PASSWORD = b"infected"


def open_cart(path: pathlib.Path) -> tuple[str, bytes]:
    opened = io.BytesIO()
    with path.open("rb") as file:
        header, footer = unpack_stream(file, opened)
    sample = opened.getvalue()
    digests = {name: hashlib.new(name, sample).hexdigest() for name in ("md5", "sha1", "sha256")}
    assert footer == {**digests, "length": str(len(sample))}, footer
    assert get_metadata_only(str(path)) == {**header, **footer}
    return header["name"], sample


def open_zip(archive: zipfile.ZipFile) -> tuple[str, bytes]:
    with archive:
        (name,) = archive.namelist()
        return name, archive.read(name, pwd=PASSWORD)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("form", choices=["cart", "zip", "zip-legacy"])
    parser.add_argument("path", type=pathlib.Path)
    arguments = parser.parse_args()
    if arguments.form == "cart":
        name, sample = open_cart(arguments.path)
    elif arguments.form == "zip":
        name, sample = open_zip(pyzipper.AESZipFile(arguments.path))
    else:
        name, sample = open_zip(zipfile.ZipFile(arguments.path))
    print(json.dumps({"bytes": len(sample), "name": name, "sha256": hashlib.sha256(sample).hexdigest()}))


main()
