import type { Kafka } from 'kafkajs';
import { SharedConnection } from '../shared-connection.ts';
import { ClusterConnection } from './cluster-connection.ts';

/** Short reads over one connection, one at a time. */
export class ClusterReads extends SharedConnection<ClusterConnection> {
  constructor(kafka: Kafka) {
    super({ open: () => ClusterConnection.open(kafka), close: (connection) => connection.close() });
  }
}
