import { MemoryCustodianSite, MemoryObjectStore, describeCustodianSite } from '../src/index.ts';

describeCustodianSite('the site in memory', async () => {
  const store = new MemoryObjectStore('mem-1');
  return {
    open: () => new MemoryCustodianSite(store),
    router: () => store,
    put: async (key, bytes) => {
      store.objects.delete(key);
      store.others.set(key, { sealed: bytes });
    },
    remove: async (key) => {
      store.objects.delete(key);
      store.others.delete(key);
    },
    look: async (key) => {
      const found = store.objects.get(key) ?? store.others.get(key);
      if (found === undefined) return undefined;
      const { sealed, ...rest } = found;
      return { bytes: Buffer.from(sealed), ...rest };
    },
    keys: async () => [...store.objects.keys(), ...store.others.keys()].toSorted(),
    close: async () => {},
  };
});
