import type { Token } from '@residency/http-server';

/**
 * The scopes of a token. `submissions`: send and read submissions. `consents`: send consents and
 * links, and read consents.
 */
export const SCOPES = ['submissions', 'consents'] as const;
export type Scope = (typeof SCOPES)[number];

export type IntakeToken = Token<Scope>;
