import { setTimeout as delay } from 'node:timers/promises';
import { decode } from '@msgpack/msgpack';
import { afterEach, expect, test } from 'vitest';
import { Subscriber } from 'zeromq';
import type { Update } from '../../../../src/fronts/dgx-pixels/wire/protocol.js';
import { UpdateSocket } from '../../../../src/fronts/dgx-pixels/wire/update-socket.js';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const socket of open.splice(0).reverse()) await socket.close();
});

async function publisher(): Promise<readonly [UpdateSocket, string]> {
  const socket = new UpdateSocket((error) => {
    throw error;
  });
  open.push(socket);
  return [socket, await socket.start('tcp://127.0.0.1:*')];
}

function subscriber(address: string, receiveHighWaterMark = 1000): Subscriber {
  const socket = new Subscriber({ linger: 0, receiveTimeout: 5000, receiveHighWaterMark });
  open.push(socket);
  socket.connect(address);
  socket.subscribe();
  return socket;
}

const progress = (step: number): Update => ({
  type: 'progress',
  job_id: 'a',
  stage: 'sampling',
  step,
  total_steps: 100,
  percent: step,
  eta_s: 1.5,
});

/** Publishes until the subscription has arrived: a subscriber hears nothing of what went out before. */
async function joined(socket: UpdateSocket, listener: Subscriber): Promise<void> {
  const heard = listener.receive();
  const publishing = setInterval(() => {
    socket.publish(progress(0));
  }, 10);
  await heard;
  clearInterval(publishing);
}

test('updates arrive in order, one frame each, no topic before them', async () => {
  const [socket, address] = await publisher();
  const listener = subscriber(address);
  await joined(socket, listener);
  for (let step = 1; step <= 50; step++) socket.publish(progress(step));
  const steps: unknown[] = [];
  while (steps.at(-1) !== 50) {
    const frames = await listener.receive();
    expect(frames).toHaveLength(1);
    const update = decode(frames[0]!) as { step: number };
    if (update.step > 0) steps.push(update.step);
  }
  expect(steps).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
});

test('a subscriber that reads nothing costs neither time nor memory, and others hear everything', async () => {
  const [socket, address] = await publisher();
  const deaf = subscriber(address, 1);
  const listener = subscriber(address);
  await joined(socket, deaf);
  await joined(socket, listener);
  const lastHeard = async (): Promise<unknown> => {
    for await (const [frame] of listener) {
      const update = decode(frame!) as { type: string };
      if (update.type === 'job_finished') return update;
    }
    return undefined;
  };
  const heard = lastHeard();
  const before = process.memoryUsage.rss();
  for (let round = 0; round < 300; round++) {
    for (let step = 0; step < 100; step++) socket.publish(progress(step));
    await delay(1);
  }
  expect(process.memoryUsage.rss() - before).toBeLessThan(60 * 2 ** 20);
  await delay(100);
  socket.publish({ type: 'job_finished', job_id: 'a', success: true, duration_s: 1 });
  expect(await heard).toMatchObject({ success: true });
});
