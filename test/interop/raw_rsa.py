"""The keyring of docs/formats/sealed-sample.md, said to the AWS Encryption SDK for Python."""

from aws_encryption_sdk.identifiers import EncryptionKeyType, WrappingAlgorithm
from aws_encryption_sdk.internal.crypto.wrapping_keys import WrappingKey
from aws_encryption_sdk.key_providers.raw import RawMasterKeyProvider


def key_provider(region: str, key_id: str, pem: bytes, kind: EncryptionKeyType) -> RawMasterKeyProvider:
    """One RSA key of a region, `pem` public to seal or private to open."""

    class RegionKey(RawMasterKeyProvider):
        provider_id = f"residency/{region}"

        def _get_raw_key(self, key_id: str) -> WrappingKey:
            return WrappingKey(
                wrapping_algorithm=WrappingAlgorithm.RSA_OAEP_SHA256_MGF1,
                wrapping_key=pem,
                wrapping_key_type=kind,
            )

    provider = RegionKey()
    provider.add_master_key(key_id)
    return provider
