import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildCli } from '../../cli/latentd.js';
import { DaemonHome } from '../../support/daemon-process.js';
import { picture } from '../comfyui/prompts.js';

interface Told {
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const home = new DaemonHome();
const told: Told[] = [];
const waiting = new Set<() => void>();
/** What the receiver answers. */
let status = 200;
const receiver = createServer((request, reply) => {
  let text = '';
  request.setEncoding('utf8').on('data', (part: string) => (text += part));
  request.on('end', () => {
    reply.writeHead(status).end();
    const { type, data } = JSON.parse(text) as Pick<Told, 'type' | 'data'>;
    told.push({ headers: request.headers, text, type, data });
    for (const wake of waiting) wake();
  });
});
let hook: string;

beforeAll(async () => {
  buildCli();
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  hook = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
});
afterAll(() => {
  receiver.close();
  home.remove();
});

function until(accepts: (message: Told) => boolean): Promise<Told> {
  return new Promise((resolve) => {
    const look = () => {
      const found = told.find(accepts);
      if (found === undefined) return;
      waiting.delete(look);
      resolve(found);
    };
    waiting.add(look);
    look();
  });
}

test('the start, progress and end of a job are told, signed; an end that nobody took is told by the next daemon', async () => {
  writeFileSync(home.path('secret'), 'a secret of ours\n');
  const options = [
    '--http',
    '0',
    '--device',
    'cpu',
    '--webhook',
    hook,
    '--webhook-secret',
    home.path('secret'),
  ];
  const submit = async (address: string, seed: number) => {
    const body = JSON.stringify({ prompt: picture({ seed, steps: 3 }) });
    const reply = await fetch(`${address}/prompt`, { method: 'POST', body });
    return ((await reply.json()) as { prompt_id: string }).prompt_id;
  };
  const first = await home.start(...options);
  const id = await submit(first.httpAddress, 1);
  const { data, headers, text } = await until(({ type }) => type === 'job.completed');
  expect(data).toMatchObject({
    id,
    front: 'comfyui',
    outputs: [{ node: '9', kind: 'images', filename: 'tiny_00001_.png', subfolder: '', type: 'output' }],
  });
  expect(told.map(({ type }) => type)).toEqual(expect.arrayContaining(['job.started', 'job.progress']));
  const content = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${text}`;
  const hash = createHmac('sha256', 'a secret of ours').update(content).digest('base64');
  expect(headers['webhook-signature']).toBe(`v1,${hash}`);

  status = 503;
  const lost = await submit(first.httpAddress, 2);
  const isEndOf = (message: Told) => message.type === 'job.completed' && message.data['id'] === lost;
  await until(isEndOf);
  await first.stop('SIGKILL');
  told.length = 0;
  status = 200;
  const second = await home.start(...options);
  const again = await until(isEndOf);
  expect(again.headers['webhook-id']).toBe('2-over');
  // What was taken is not told again.
  expect(told.filter(({ data: { id: each } }) => each === id)).toEqual([]);
  await second.stop();
});
