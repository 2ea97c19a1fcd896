import { MemoryObjectStore, describeObjectStore } from '../src/index.ts';

describeObjectStore('the store in memory', async () => {
  const site = new MemoryObjectStore('mem-1');
  return {
    open: () => site,
    read: async (key) => site.objects.get(key)?.sealed,
    count: async () => site.objects.size,
    close: async () => {},
  };
});
