import { expect, test } from 'vitest';
import { StartTurns } from '../../src/jobs/start-turns.js';

test('engines start so many at a time, in the order in which they asked, and a turn ends once', async () => {
  const turns = new StartTurns(1);
  const order: string[] = [];
  const endFirst = await turns.take();
  const second = turns.take().then((end) => {
    order.push('second');
    return end;
  });
  const third = turns.take().then((end) => {
    order.push('third');
    return end;
  });
  expect(order).toEqual([]);
  endFirst();
  endFirst();
  const endSecond = await second;
  expect(order).toEqual(['second']);
  endSecond();
  (await third)();
  (await turns.take())();
  expect(order).toEqual(['second', 'third']);
});
