/** MySpinBot's data plane on a real Redis: graphs in, nodes run, graphs out. */
import { existsSync, readdirSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readGraph, nextNode, standing } from '../../../src/fronts/redis/myspinbot/graph.js';
import { buildCli } from '../../cli/latentd.js';
import { DaemonHome, type DaemonProcess } from '../../support/daemon-process.js';
import { RedisServer } from '../../support/redis-server.js';

const CONTROL = 'stream:control';
const DATA = 'stream:data';

interface Node {
  readonly id: string;
  readonly status: string;
  readonly output?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: string; readonly message: string };
}

const node = (id: string, service: string, params: object = {}, rest: object = {}) => ({
  ...{ id, service, plane: 'python', status: 'pending', params, progressWeight: 0.5 },
  ...rest,
});
const graph = (workflowId: string, nodes: readonly object[], edges: readonly object[] = []) =>
  JSON.stringify({ schema: 'langgraph.v1', workflowId, nodes, edges });
const grey = (prefix: string, color: number) => ({
  1: { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color } },
  2: { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: prefix } },
});

describe('a graph', () => {
  const read = (nodes: readonly object[], edges: readonly object[] = [], id = 'g') =>
    readGraph(graph('g', nodes, edges), id);

  test.each([
    [() => readGraph('{', 'g'), 'no JSON'],
    [() => read([node('a', 's')], [], 'other'), 'workflowId is "g"'],
    [() => read([]), 'nodes: '],
    [() => read([{ ...node('a', 's'), extra: 1 }]), 'nodes.0: Unrecognized key: "extra"'],
    [() => read([{ ...node('a', 's'), plane: 'gpu' }]), 'nodes.0.plane: '],
    [() => read([node('a', 's'), node('a', 's')]), 'same id'],
    [() => read([node('a', 's')], [{ from: 'a', to: 'b' }]), 'from a to b'],
    [
      () =>
        read(
          [node('a', 's'), node('b', 's')],
          [
            { from: 'a', to: 'b' },
            { from: 'b', to: 'a' },
          ],
        ),
      'in a circle',
    ],
  ])('is refused with what is wrong (%#)', (wrong, message) => {
    expect(wrong).toThrow(message);
  });

  test('is followed by its edges, those for failures too', () => {
    const edges = [
      { from: 'a', to: 'b' },
      { from: 'a', to: 'rescue', kind: 'on_failure' },
      { from: 'b', to: 'c', kind: 'on_success' },
    ];
    const nodes = ['a', 'b', 'rescue', 'c'].map((id) => node(id, 's'));
    const good = read(nodes, edges);
    expect(nextNode(good)?.id).toBe('a');
    good.nodes[0]!.status = 'completed';
    expect([nextNode(good)?.id, good.nodes[2]!.status]).toEqual(['b', 'skipped']);
    good.nodes[1]!.status = 'failed';
    expect([nextNode(good), standing(good)]).toEqual([undefined, 'failed']);
    const bad = read(nodes, edges);
    bad.nodes[0]!.status = 'failed';
    expect([nextNode(bad)?.id, standing(bad)]).toEqual(['rescue', 'handoff']);
  });
});

describe('a worker', () => {
  const home = new DaemonHome();
  const server = new RedisServer();
  const heard: { readonly channel: string; readonly value: Readonly<Record<string, unknown>> }[] = [];
  let redis: Redis;
  let daemon: DaemonProcess;

  const args = (...more: readonly string[]) => [
    '--device',
    'cpu',
    '--threads',
    '1',
    '--redis',
    server.url,
    '--http',
    '127.0.0.1:0',
    ...more,
  ];
  const submit = (jobId: string, text: string) =>
    redis.xadd(DATA, '*', 'jobId', jobId, 'created', String(Date.now()), 'graph', text);
  const kept = async (jobId: string) =>
    JSON.parse((await redis.hget(`job:${jobId}`, 'graph'))!) as { readonly nodes: readonly Node[] };
  const told = (jobId: string, property: string) =>
    heard
      .filter(({ channel }) => channel === `channel:${property}:${jobId}`)
      .map(({ value }) => value[property]);
  let wake: () => void = () => undefined;
  const until = async (jobId: string, status: string) => {
    while (!told(jobId, 'status').includes(status)) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return kept(jobId);
  };

  beforeAll(async () => {
    buildCli();
    await server.start();
    redis = server.client();
    // Before the worker's group is there.
    await submit('early', graph('early', [node('caps', 'info.get_capabilities')]));
    const listener = server.client();
    listener.on('pmessage', (_: string, channel: string, text: string) => {
      heard.push({ channel, value: JSON.parse(text) as Readonly<Record<string, unknown>> });
      wake();
    });
    await listener.psubscribe('channel:*');
    daemon = await home.start(...args());
  });
  afterAll(async () => {
    await daemon.stop('SIGKILL');
    await server.remove();
    home.remove();
  });

  test('takes what came before it, and says what it can do', async () => {
    const { nodes } = await until('early', 'completed');
    const caps = JSON.parse(String(nodes[0]!.output!['workerCaps'])) as {
      readonly capabilities: readonly { readonly id: string }[];
    };
    expect(caps.capabilities.map(({ id }) => id)).toEqual([
      ...['generate.txt2img', 'comfyui.workflow', 'generate.upscale_video', 'generate.restore_faces'],
      'info.get_capabilities',
    ]);
    expect(await redis.ttl('job:early')).toBeGreaterThan(43_000);
    expect(await redis.get('job:early:status')).toBe('completed');
  });

  test('runs nodes one after the other, tells how far it is, and stores what it makes once', async () => {
    const text = { prompt: 'a knight', model: 'sd15-tiny', width: 64, height: 64, steps: 2, seed: 7 };
    const nodes = [
      node('draw', 'generate.txt2img', text),
      node('again', 'comfyui.workflow', { workflow: grey('one', 255) }),
      node('same', 'comfyui.workflow', { workflow: grey('two', 0), inputs: { '1.color': 255 } }),
      node('bad', 'comfyui.workflow', { workflow: { 1: { class_type: 'Nothing', inputs: {} } } }),
      node('rescue', 'info.get_capabilities'),
    ];
    const edges = [
      { from: 'draw', to: 'again' },
      { from: 'again', to: 'same' },
      { from: 'same', to: 'bad' },
      { from: 'bad', to: 'rescue', kind: 'on_failure' },
    ];
    await submit('draws', graph('draws', nodes, edges));
    const done = await until('draws', 'completed');
    const [draw, again, same, bad, rescue] = done.nodes;
    expect(done.nodes.map(({ status }) => status)).toEqual([
      'completed',
      'completed',
      'completed',
      'failed',
      'completed',
    ]);
    expect(bad!.error).toMatchObject({ code: 'invalid_workflow' });
    expect(rescue!.output).toHaveProperty('workerCaps');
    const artifact = draw!.output!['imageArtifact'] as { readonly bucket: string; readonly key: string };
    expect(artifact).toMatchObject({ bucket: 'output', content_type: 'image/png' });
    expect(existsSync(home.path(`output/${artifact.key}`))).toBe(true);
    expect(told('draws', 'status')).toEqual(['running', 'completed']);
    const progress = told('draws', 'progress').map(Number);
    expect(progress.at(-1)).toBe(1);
    expect(progress.every((value) => value >= 0 && value <= 1.001)).toBe(true);
    // The workflows that drew them are in the files: that of the second is another one.
    expect(again!.output!['artifact']).not.toEqual(same!.output!['artifact']);
    await submit('draws-2', graph('draws-2', nodes.slice(1, 2)));
    const { nodes: repeated } = await until('draws-2', 'completed');
    expect(repeated[0]!.output!['artifact']).toEqual(again!.output!['artifact']);
    expect(readdirSync(home.path('output'))).toEqual(['artifacts']);
  });

  test('hands over what is not its own, and says what it can not do', async () => {
    const nodes = [
      node('mine', 'info.get_capabilities'),
      node('theirs', 'llm.generate_script', {}, { plane: 'node' }),
    ];
    await submit('both', graph('both', nodes, [{ from: 'mine', to: 'theirs' }]));
    const [, entries] = (await redis.xread('BLOCK', 0, 'STREAMS', CONTROL, '0'))![0]!;
    const fields = entries[0]![1];
    expect(fields.slice(0, 2)).toEqual(['jobId', 'both']);
    const handed = JSON.parse(fields[5]!) as { readonly nodes: readonly Node[] };
    expect(handed.nodes.map(({ status }) => status)).toEqual(['completed', 'pending']);
    await submit('talks', graph('talks', [node('a', 'generate.f5_to_tts')]));
    expect((await until('talks', 'failed')).nodes[0]!.error).toMatchObject({ code: 'unsupported_service' });
    await submit('odd', graph('odd', [node('a', 'generate.txt2imq')]));
    expect((await until('odd', 'failed')).nodes[0]!.error!.message).toContain('nearest: "generate.txt2img"');
    await redis.xadd(DATA, '*', 'jobId', 'broken', 'created', '0', 'graph', '{"schema": 1}');
    while (!told('broken', 'status').includes('failed')) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    const [[, letter]] = (await redis.xrange(`${DATA}:dead`, '-', '+')) as [[string, string[]]];
    expect(letter[letter.indexOf('reason') + 1]).toContain("the graph doesn't fit its schema: schema: ");
    const [pending] = (await redis.xpending(DATA, 'workers')) as [number];
    expect(pending).toBe(0);
    const metrics = await (await fetch(`${daemon.httpAddress}/metrics`)).text();
    const lines = metrics.split('\n').filter((line) => line.startsWith('latentd_redis_'));
    expect(lines).toEqual([
      'latentd_redis_up 1',
      ...['latentd_redis_pending 0', 'latentd_redis_dead_letters 1', 'latentd_redis_lag 0'],
      ...['latentd_redis_oldest_pending_seconds 0', 'latentd_redis_reclaims_total 0'],
    ]);
  });

  test('goes on when Redis comes back, and takes over what a worker left that died', async () => {
    await daemon.stop('SIGKILL');
    // Taken by somebody who is never heard of again.
    await submit('orphan', graph('orphan', [node('a', 'comfyui.workflow', { workflow: grey('orphan', 9) })]));
    await redis.xreadgroup('GROUP', 'workers', 'gone', 'COUNT', 1, 'STREAMS', DATA, '>');
    daemon = await home.start(...args('--redis-heartbeat', '0.5s'));
    const { nodes } = await until('orphan', 'completed');
    expect(nodes[0]!.status).toBe('completed');
    await server.kill();
    await daemon.logged('redis is away');
    const ready = await fetch(`${daemon.httpAddress}/ready`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({ checks: { redis: 'the server is away' } });
    const metrics = await (await fetch(`${daemon.httpAddress}/metrics`)).text();
    expect(metrics).toContain('latentd_redis_up 0');
    expect(metrics).not.toMatch(/^latentd_redis_lag /m);
    await server.start();
    await daemon.logged('redis is back');
    await submit('later', graph('later', [node('a', 'info.get_capabilities')]));
    while ((await redis.get('job:later:status')) !== 'completed')
      await new Promise((resolve) => setImmediate(resolve));
    // Nothing is pending, and a worker that ends leaves no consumer behind.
    expect(await daemon.stop()).toBe(0);
    const consumers = (await redis.xinfo('CONSUMERS', DATA, 'workers')) as string[][];
    expect(consumers.map((consumer) => consumer[1])).not.toContain(
      expect.stringContaining(`-${daemon.pid}-`),
    );
  });

  test('does not start on a server that may lose jobs', async () => {
    await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
    const refused = home.launch(...args());
    expect(await refused.ended()).toBe(2);
    expect(refused.complaints.join('\n')).toContain("the server's maxmemory-policy is allkeys-lru");
  });
});
