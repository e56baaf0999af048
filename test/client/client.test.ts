/** `latentd/client`, by its name in the package, over both ways to a daemon. */
import sharp from 'sharp';
import type { ClientEvent, LatentdClient } from 'latentd/client';
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest';
import { buildCli } from '../cli/latentd.js';
import { DaemonHome, type DaemonProcess } from '../support/daemon-process.js';
import { smallWorkflow } from '../support/small-workflow.js';

let home: DaemonHome;
let daemon: DaemonProcess;
let connect: (typeof import('latentd/client'))['connect'];

beforeAll(async () => {
  buildCli();
  // Not before it is built.
  ({ connect } = await import('latentd/client'));
  home = new DaemonHome();
  daemon = await home.start('--http', '0');
});
afterAll(async () => {
  await daemon.stop();
  home.remove();
});

const WAYS = {
  http: () => connect(daemon.httpAddress),
  zeromq: () => connect(daemon.requestAddress, { updates: daemon.updateAddress }),
};

describe.each(Object.entries(WAYS))('over %s', (_, open) => {
  let client: LatentdClient;

  beforeAll(async () => {
    client = await open();
  });
  afterAll(() => client.close());

  test('a job is told from start to end, and gives its files', async () => {
    const job = await client.submit(smallWorkflow({ steps: 4 }));
    const heard: ClientEvent[] = [];
    for await (const event of job.events()) heard.push(event);
    expect(heard[0]).toEqual({ type: 'started' });
    expect(heard.at(-1)).toEqual({ type: 'over', state: 'completed' });
    const steps = heard.flatMap((event) => (event.type === 'progress' ? [event] : []));
    expect(steps.at(-1)).toMatchObject({ totalSteps: 4, share: 1 });
    const [output, ...others] = await job.outputs();
    expect(others).toEqual([]);
    expect(output).toMatchObject({
      node: '6',
      type: 'output',
      filename: expect.stringMatching(/\.png$/) as unknown,
    });
    expect(await sharp(await output!.read()).metadata()).toMatchObject({
      format: 'png',
      width: 64,
      height: 64,
    });
  });

  test('a workflow may be an object, with seeds of twenty digits', async () => {
    const workflow = JSON.parse(smallWorkflow()) as Record<string, { inputs: Record<string, unknown> }>;
    workflow['4']!.inputs['seed'] = 18446744073709551615n;
    const [output] = await (await client.submit(workflow)).outputs();
    const saved = Buffer.from(await output!.read()).toString('latin1');
    expect(saved).toContain('"seed": 18446744073709551615');
  });

  test('shows how it comes about, is cancelled, and says so to whoever waits', async () => {
    const job = await client.submit(smallWorkflow({ steps: 3000, size: 128 }));
    const outputs = expect(job.outputs()).rejects.toMatchObject({
      name: 'JobFailure',
      state: 'cancelled',
      id: job.id,
    });
    for await (const event of job.events()) {
      if (event.type !== 'preview') continue;
      expect((await sharp(event.picture).metadata()).format).toBe('png');
      break;
    }
    expect(await job.cancel()).toBe(true);
    await outputs;
    expect(await job.cancel()).toBe(false);
  });

  test('a job of before is found by its id', async () => {
    const id = crypto.randomUUID();
    await (await client.submit(smallWorkflow(), { id })).outputs();
    const later = await open();
    expect(await later.job(id).outputs()).toHaveLength(1);
    await later.close();
  });

  test.each([
    ['a workflow that can not run', () => smallWorkflow({ steps: 0 }), /steps/],
    ['what is no workflow', () => '{"1": 2}', /./],
    ['an object that is none', () => ({ nodes: new Date() }), /./],
  ])('%s is turned away', async (_name, workflow, message) => {
    const refused = client.submit(workflow());
    await expect(refused).rejects.toMatchObject({
      name: 'ClientError',
      message: expect.stringMatching(message) as unknown,
    });
  });
});

test('a job that fails says why', async () => {
  const client = await WAYS.http();
  // There is no picture of that name any more once it runs.
  const job = await client.submit(smallWorkflow({ prefix: '../out' }));
  await expect(job.outputs()).rejects.toMatchObject({
    state: 'failed',
    message: expect.stringMatching(/leads out/) as unknown,
  });
  await client.close();
});

test('a daemon that goes and comes back loses no job', async () => {
  const other = new DaemonHome();
  const port = await freePort();
  const first = await other.start('--http', String(port));
  const client = await connect(`http://127.0.0.1:${port}`);
  const job = await client.submit(smallWorkflow({ steps: 60 }));
  for await (const { type } of job.events()) if (type === 'progress') break;
  await first.stop('SIGKILL');
  const second = await other.start('--http', String(port));
  expect(await job.outputs()).toHaveLength(1);
  await client.close();
  await second.stop();
  other.remove();
});

test('nobody at an address, and what is no address', async () => {
  const client = await connect('http://127.0.0.1:1');
  await expect(client.submit('{}')).rejects.toMatchObject({ code: 'unreachable' });
  await client.close();
  await expect(connect('ftp://x')).rejects.toMatchObject({ code: 'unreachable' });
});

test('its types are what they say', () => {
  expectTypeOf<Extract<ClientEvent, { type: 'over' }>['state']>().toEqualTypeOf<
    'completed' | 'failed' | 'cancelled'
  >();
  expectTypeOf<Parameters<LatentdClient['submit']>[0]>().toEqualTypeOf<
    string | Readonly<Record<string, unknown>>
  >();
});

async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { readonly port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
