import type { Admin, Kafka } from 'kafkajs';
import { kafkaError } from '../kafka-error.ts';
import { SharedConnection } from '../shared-connection.ts';

/** kafkajs's admin client, one request at a time. */
export class SerialAdmin extends SharedConnection<Admin> {
  constructor(kafka: Kafka) {
    super({ open: () => connected(kafka.admin()), close: (admin) => admin.disconnect() });
  }
}

async function connected(admin: Admin): Promise<Admin> {
  try {
    await admin.connect();
    return admin;
  } catch (error) {
    await admin.disconnect();
    throw kafkaError(error);
  }
}
