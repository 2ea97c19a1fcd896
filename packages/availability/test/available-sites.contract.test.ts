import { AvailableSites } from '@residency/availability';
import { MemoryObjectStore, describeObjectStore } from '@residency/testkit';

describeObjectStore('A store of AvailableSites', async () => {
  const memory = new MemoryObjectStore('zrh-1');
  const sites = new AvailableSites({ store: async () => memory }, { now: () => 0 });
  const store = await sites.store('zrh-1', 'zurich');
  return {
    open: () => store,
    read: async (key) => memory.objects.get(key)?.sealed,
    count: async () => memory.objects.size,
    close: async () => undefined,
  };
});
