import { CodedError } from '@residency/coded-error';
import { describeKeyUnwrapper } from '@residency/testkit';
import { PemUnwrapper } from '../src/index.ts';
import { newerKey, olderKey } from './fixtures.ts';

const keys = [olderKey, newerKey] as const;

describeKeyUnwrapper('PEM in memory', async () => {
  let away = false;
  const files = {
    privateKey: async (_region: string, id: string) => {
      if (away) throw new CodedError({ code: 'AWAY', message: 'away', remedy: 'retry' });
      return keys.find((key) => key.id === id)?.privateKeyPem;
    },
  };
  return {
    unwrapper: new PemUnwrapper(files, 'zurich'),
    keys,
    cutOff: async () => {
      away = true;
    },
    close: async () => undefined,
  };
});
