"""Added to v1, once, what the AWS Encryption SDK for Python alone made: messages in several small frames, the last one
short or whole. And to `refused` one without frames, which is a good message of that SDK and never a router's.

`python generate_with_python.py`, with what ../../interop/requirements.txt names. Refuses to overwrite.
"""

import hashlib
import json
import pathlib
import sys

from aws_encryption_sdk import CommitmentPolicy, EncryptionSDKClient
from aws_encryption_sdk.identifiers import Algorithm, EncryptionKeyType

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent.parent / "interop"))
from raw_rsa import key_provider  # noqa: E402

V1 = HERE / "v1"
REFUSED = HERE / "refused"
TEXT = "CANARY-python: a harmless text, long enough for several frames of 128 bytes each. " * 4


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def write_vector(folder: pathlib.Path, name: str, sample: str, frame_length: int) -> None:
    public = sorted((V1 / "TEST-KEYS" / "zurich").glob("*.public.pem"))[-1]
    key_id = public.name.removesuffix(".public.pem")
    context = {
        "region": "zurich",
        "policyDigest": sha256(b"policy of the vectors"),
        "sampleSha256": sha256(sample.encode()),
        "submission": sha256(f"submission {name}".encode()),
    }
    message, _ = EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT).encrypt(
        source=sample.encode(),
        key_provider=key_provider("zurich", key_id, public.read_bytes(), EncryptionKeyType.PUBLIC),
        algorithm=Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY,
        frame_length=frame_length,
        encryption_context={
            "region": context["region"],
            "policy-digest": context["policyDigest"],
            "sample-sha256": context["sampleSha256"],
            "submission": context["submission"],
        },
    )
    about = {
        "writtenBy": "aws-encryption-sdk for Python 4.0.7",
        "sealedSha256": sha256(message),
        "wrappingKey": key_id,
        "context": context,
        "sample": sample,
    }
    folder.mkdir(exist_ok=True)
    with open(folder / f"{name}.message", "xb") as file:
        file.write(message)
    with open(folder / f"{name}.json", "x", encoding="utf8") as file:
        file.write(json.dumps(about, indent=2) + "\n")


write_vector(V1, "python", TEXT[:246], 128)
write_vector(V1, "python-whole-frames", TEXT[:256], 128)
write_vector(REFUSED, "python-unframed", TEXT[:246], 0)
