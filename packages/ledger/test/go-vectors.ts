/**
 * Made with Go: golang.org/x/mod v0.43.0 `sumdb/note` and github.com/transparency-dev/formats
 * v0.1.1 `note` (cosignature/v1). The tree is that of rfc6962-vectors.ts, all eight leaves. The
 * keys are for tests: their seeds are the SHA-256 of `residency ledger test log` and `residency
 * ledger test witness`.
 */
export const GO = {
  logSigner:
    'PRIVATE+KEY+ledger.example/audit+7ed49f41+AXA4dBTgYDignca1h4dYULL4Hhk+7huvn0x6K3cgUsS8',
  logVerifier: 'ledger.example/audit+7ed49f41+AUsjSM9BqCpPQEZaF69Ge8lyMLCHcC4akp2ZZNdQNMLr',
  witnessSeed: 'residency ledger test witness',
  witnessName: 'witness.example/w1',
  witnessVerifier: 'witness.example/w1+109e9472+BLZcp6k9wep8DmhozM1VtskdeNkQEqQQrdbBqVpEqSjV',
  witnessTime: 0x6b068daa,
  text: 'ledger.example/audit\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n',
  logLine:
    '— ledger.example/audit ftSfQff8QAd6HbV60skDhDjrv6UASijXgHRJnZq84qfvERyPsiM535s41DcKc9dGzoZW20z/FlMwd0gc5CEikI21oQ8=\n',
  witnessLine:
    '— witness.example/w1 EJ6UcgAAAABrBo2q4mx6QSZNMhnCGjZdGRdvUsoj5jRqjOar+sa57cMOhQq7/TSZwSihwlkf1ATFXcWCmept+pUWgdJrVowVFqkiAQ==\n',
} as const;
