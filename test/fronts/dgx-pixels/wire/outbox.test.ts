import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Outbox } from '../../../../src/fronts/dgx-pixels/wire/outbox.js';

const fail = (error: Error): void => {
  throw error;
};

test('what is posted in any turn around the end of a send goes out without another post', async () => {
  for (let turns = 0; turns < 12; turns++) {
    const sent: string[] = [];
    const outbox = new Outbox<string>((message) => {
      sent.push(message);
      return Promise.resolve();
    }, fail);
    outbox.post('first');
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    outbox.post('second');
    await delay(1);
    expect(sent, `posted ${turns} turns later`).toEqual(['first', 'second']);
  }
});

test('keeps the order, and goes on after a send that failed', async () => {
  const sent: number[] = [];
  const faults: string[] = [];
  const outbox = new Outbox<number>(
    async (message) => {
      await delay(1);
      if (message === 2) throw new Error('no');
      sent.push(message);
    },
    (error) => faults.push(error.message),
  );
  for (const message of [1, 2, 3]) outbox.post(message);
  await outbox.drained();
  expect(sent).toEqual([1, 3]);
  expect(faults).toEqual(['no']);
});
