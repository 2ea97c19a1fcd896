import { expect, it } from 'vitest';
import * as adapter from '../src/index.ts';

it('exports what its README promises, and nothing else', () => {
  expect(Object.keys(adapter).toSorted()).toEqual([
    'AppendClock',
    'KAFKA_LOG_ERROR_CODES',
    'KAFKA_SUBMISSION_LOG_DEFAULTS',
    'KafkaAuditTrail',
    'KafkaControlView',
    'KafkaLog',
    'KafkaLogError',
    'KafkaPolicyView',
    'KafkaSubmissionLog',
    'OldestUnsettled',
    'checkTopics',
    'createTopics',
    'demandTopics',
    'isLost',
    'openKafkaLog',
    'publishedPolicies',
    'readNow',
    'routerGroup',
    'topicName',
    'topicPlan',
  ]);
});
