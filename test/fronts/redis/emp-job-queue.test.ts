/** emp-job-queue's protocol on a real Redis: jobs of a sorted set, claimed by the hub's function, told in its keys and channels. */
import { existsSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildCli } from '../../cli/latentd.js';
import { DaemonHome, type DaemonProcess } from '../../support/daemon-process.js';
import { RedisServer } from '../../support/redis-server.js';

/** Stands in for the hub's own function, which its side loads: same name, arguments, answer and effects; it looks at services alone. */
const FUNCTION = `#!lua name=jobMatching
redis.register_function('findMatchingJob', function(keys, args)
  local worker = cjson.decode(args[1])
  for _, id in ipairs(redis.call('ZREVRANGE', 'jobs:pending', 0, tonumber(args[2]) - 1)) do
    local list = redis.call('HGETALL', 'job:' .. id)
    local job = {}
    for i = 1, #list, 2 do job[list[i]] = list[i + 1] end
    for _, service in ipairs(worker.job_service_required_map) do
      if service == job.service_required then
        redis.call('ZREM', 'jobs:pending', id)
        redis.call('HSET', 'job:' .. id, 'status', 'assigned', 'worker_id', worker.worker_id)
        redis.call('HSET', 'jobs:active:' .. worker.worker_id, id, cjson.encode(job))
        redis.call('HSET', 'worker:' .. worker.worker_id, 'status', 'busy', 'current_job_id', id)
        return cjson.encode({jobId = id, job = job})
      end
    end
  end
  return nil
end)`;

const home = new DaemonHome();
const server = new RedisServer();
const heard: { readonly channel: string; readonly value: Readonly<Record<string, unknown>> }[] = [];
let redis: Redis;
let daemon: DaemonProcess;
let wake: () => void = () => undefined;

const args = [
  '--device',
  'cpu',
  '--threads',
  '1',
  '--redis',
  server.url,
  '--redis-protocol',
  'emp-job-queue',
  '--redis-heartbeat',
  '0.5s',
];
const grey = {
  1: { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 7 } },
  2: { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'emp' } },
};
async function submit(
  id: string,
  payload: object,
  fields: Readonly<Record<string, string>> = {},
): Promise<void> {
  const job = {
    id,
    service_required: 'comfyui',
    priority: '50',
    created_at: new Date().toISOString(),
    status: 'pending',
  };
  await redis.hset(`job:${id}`, {
    ...job,
    payload: JSON.stringify(payload),
    retry_count: '0',
    max_retries: '3',
    ...fields,
  });
  await redis.zadd('jobs:pending', 1, id);
}
async function told(channel: string, id: string) {
  for (;;) {
    const found = heard.find((each) => each.channel === channel && each.value['job_id'] === id);
    if (found !== undefined) return found.value;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
}

beforeAll(async () => {
  buildCli();
  await server.start();
  redis = server.client();
  await redis.function('LOAD', FUNCTION);
  const listener = server.client();
  listener.on('message', (channel: string, text: string) => {
    heard.push({ channel, value: JSON.parse(text) as Readonly<Record<string, unknown>> });
    wake();
  });
  await listener.subscribe('complete_job', 'job_failed', 'update_job_progress', 'worker:events');
  // Somebody who is never heard of again had taken a job.
  await submit('orphan', { workflow: grey }, { status: 'in_progress', worker_id: 'gone' });
  await redis.zrem('jobs:pending', 'orphan');
  await redis.hset('jobs:active:gone', 'orphan', '{}');
  await redis.sadd('workers:active', 'gone');
  daemon = await home.start(...args);
});
afterAll(async () => {
  await daemon.stop('SIGKILL');
  await server.remove();
  home.remove();
});

test('jobs are done, told and kept', async () => {
  await submit('draws', { workflow: grey }, { workflow_id: 'w', current_step: '1', total_steps: '2' });
  const end = await told('complete_job', 'draws');
  expect(end).toMatchObject({
    status: 'completed',
    progress: 100,
    workflow_id: 'w',
    current_step: 1,
    total_steps: 2,
  });
  const { data } = end['result'] as { data: { image_url: string; mime_type: string } };
  expect(data.mime_type).toBe('image/png');
  expect(existsSync(home.path(data.image_url))).toBe(true);
  expect(await redis.hgetall('job:draws')).toMatchObject({ status: 'completed' });
  expect(JSON.parse((await redis.hget('jobs:completed', 'draws'))!)).toMatchObject({ success: true });
  expect(await redis.hgetall('job:draws:progress')).toMatchObject({ progress: '100', status: 'completed' });
  const text = {
    prompt: 'a knight',
    width: 64,
    height: 64,
    steps: 2,
    cfg_scale: 5,
    sampler_name: 'Euler a',
    seed: 3,
  };
  await submit(
    'a1111',
    { ...text, override_settings: { sd_model_checkpoint: 'sd15-tiny' } },
    { service_required: 'a1111' },
  );
  expect(await told('complete_job', 'a1111')).toMatchObject({ status: 'completed' });
  const [worker] = await redis.smembers('workers:active');
  expect(await redis.hlen(`jobs:active:${worker!}`)).toBe(0);
});

test('what can not be done is failed with its reason; what a lost worker had is done', async () => {
  await submit('bad', { workflow: { 1: { class_type: 'Nothing', inputs: {} } } });
  expect(await told('job_failed', 'bad')).toMatchObject({ can_retry: false, code: 'invalid_workflow' });
  expect(JSON.parse((await redis.hget('jobs:failed', 'bad'))!)).toMatchObject({ retry_count: 1 });
  expect(await told('complete_job', 'orphan')).toMatchObject({ status: 'completed' });
  expect(await redis.hget('job:orphan', 'retry_count')).toBe('1');
});

test('a worker that ends says so', async () => {
  expect(await daemon.stop()).toBe(0);
  expect(await redis.smembers('workers:active')).toEqual([]);
  expect(
    heard.filter(({ channel }) => channel === 'worker:events').map(({ value }) => value['type']),
  ).toEqual(['worker_connected', 'worker_disconnected']);
});
