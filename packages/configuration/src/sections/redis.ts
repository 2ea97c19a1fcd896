import { defined } from '@residency/defined';
import { complete } from '../environment-reader.ts';
import type { EnvironmentReader } from '../environment-reader.ts';
import { VARIABLES } from '../variables.ts';

export interface RedisConfiguration {
  /** Without user and password, which are separate members. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** Present, even empty: the connection is encrypted. PEM texts. */
  readonly tls?: { readonly ca?: string };
  readonly keyPrefix: string;
  /** The name of the consent log. */
  readonly log: string;
}

export function readRedis(reader: EnvironmentReader): RedisConfiguration | undefined {
  const [user, secret, file, authorities] = [
    'RESIDENCY_REDIS_USERNAME',
    'RESIDENCY_REDIS_PASSWORD',
    'RESIDENCY_REDIS_PASSWORD_FILE',
    'RESIDENCY_REDIS_TLS_CA_FILE',
  ] as const;
  const address = reader.get('RESIDENCY_REDIS_URL');
  const username = reader.get(user);
  const password = reader.secret(secret, file, {
    secret: VARIABLES[secret],
    file: VARIABLES[file],
  });
  const ca = reader.file(authorities);
  if (address !== undefined) {
    reader.refuseWithout(address.tls, [authorities], 'an address with rediss://');
    if (address.username !== undefined && reader.isSet(user))
      reader.mistaken({
        variable: user,
        expected: 'one user',
        found: 'another in RESIDENCY_REDIS_URL',
      });
    if (address.password !== undefined && (reader.isSet(secret) || reader.isSet(file)))
      reader.mistaken({
        variable: 'RESIDENCY_REDIS_URL',
        expected: 'one password',
        found: 'one there and one beside it',
      });
  }
  const needed = complete({
    address,
    keyPrefix: reader.get('RESIDENCY_REDIS_KEY_PREFIX'),
    log: reader.get('RESIDENCY_LOG'),
  });
  if (needed === undefined) return undefined;
  const {
    address: { url, tls, ...inUrl },
    keyPrefix,
    log,
  } = needed;
  return {
    url,
    keyPrefix,
    log,
    ...defined({ username: username ?? inUrl.username, password: password ?? inUrl.password }),
    ...(tls ? { tls: defined({ ca }) } : {}),
  };
}
