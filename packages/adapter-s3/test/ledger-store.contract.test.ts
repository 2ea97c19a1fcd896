import { describeLedgerStore } from '@residency/testkit';
import { S3LedgerStore } from '../src/s3-ledger-store.ts';
import { FakeBucket, SOME_SETTINGS } from './fake-bucket.ts';
import { emptyBucket } from './some-bucket.ts';

describeLedgerStore('S3LedgerStore', async () => {
  const bucket = await emptyBucket();
  const opened: S3LedgerStore[] = [];
  return {
    open: () => {
      const store = new S3LedgerStore(bucket.settings);
      opened.push(store);
      return store;
    },
    read: (path) => bucket.read(path),
    close: async () => {
      for (const store of opened) store.close();
    },
  };
});

describeLedgerStore('S3LedgerStore over a bucket in memory', async () => {
  const bucket = new FakeBucket();
  return {
    open: () => new S3LedgerStore(SOME_SETTINGS, bucket),
    read: async (path) => bucket.objects.get(path)?.bytes,
    close: async () => {},
  };
});
