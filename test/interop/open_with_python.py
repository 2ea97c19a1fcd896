"""Opens a sealed sample with the AWS Encryption SDK for Python: no code of this project takes part.

Prints one JSON object: the sample's SHA-256, its size, and the context bound to it. Exit code 1: it does not open,
or the region asked for or the sample's digest is not the bound one.
"""

import argparse
import hashlib
import json
import logging
import pathlib
import sys

from aws_encryption_sdk import CommitmentPolicy, EncryptionSDKClient
from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError
from aws_encryption_sdk.identifiers import EncryptionKeyType
from cryptography.exceptions import InvalidTag

from raw_rsa import key_provider


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("message", type=pathlib.Path, help="the object's bytes")
    parser.add_argument("private_key", type=pathlib.Path, help="PKCS#8 PEM; its name without .private.pem is the key's id")
    parser.add_argument("--region", required=True)
    parser.add_argument("--key-id", help="default: from the private key's file name")
    arguments = parser.parse_args()
    key_id = arguments.key_id or arguments.private_key.name.removesuffix(".private.pem")
    logging.disable()  # Or the SDK prints a stack trace for whatever does not open.
    client = EncryptionSDKClient(
        commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT, max_encrypted_data_keys=1
    )
    keys = key_provider(arguments.region, key_id, arguments.private_key.read_bytes(), EncryptionKeyType.PRIVATE)
    try:
        sample, header = client.decrypt(source=arguments.message.read_bytes(), key_provider=keys)
    except (AWSEncryptionSDKClientError, InvalidTag) as error:
        print(f"The message does not open with this key and region: {type(error).__name__}.", file=sys.stderr)
        return 1
    context = dict(header.encryption_context)
    found = {"sampleSha256": hashlib.sha256(sample).hexdigest(), "bytes": len(sample), "context": context}
    print(json.dumps(found, indent=2, sort_keys=True))
    if context.get("region") != arguments.region or context.get("sample-sha256") != found["sampleSha256"]:
        print("The region asked for, or the sample's digest, is not the one bound to the message.", file=sys.stderr)
        return 1
    return 0


sys.exit(main())
