/**
 * Numbers of the AWS Encryption SDK's message format, version 2. SPEC is
 * github.com/awslabs/aws-encryption-sdk-specification; comments name its files.
 */

/** Data-format/message-header.md, "supported versions". */
export const MESSAGE_VERSION = 2;
/**
 * AES-256-GCM, HKDF-SHA-512, key commitment, no signature (framework/algorithm-suites.md,
 * "supported algorithm suites").
 */
export const SUITE = 0x0478;
export const MESSAGE_ID_BYTES = 32;
/** Data-format/message-header.md, "supported content types". */
export const FRAMED = 2;
/** The suite's data is the commit key (framework/algorithm-suites.md). */
export const COMMIT_KEY_BYTES = 32;
export const IV_BYTES = 12;
export const TAG_BYTES = 16;
/** Data-format/message-body.md, "sequence number end". */
export const LAST_FRAME = 0xffff_ffff;
export const SEQUENCE_BYTES = 4;
