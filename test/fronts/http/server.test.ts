import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildCli } from '../../cli/latentd.js';
import { DaemonHome, type DaemonProcess } from '../../support/daemon-process.js';

const home = new DaemonHome();

beforeAll(buildCli);
afterAll(() => {
  home.remove();
});

describe('a daemon with --http', () => {
  let daemon: DaemonProcess;

  beforeAll(async () => {
    daemon = await home.start('--http', '0');
  });
  afterAll(async () => {
    expect(await daemon.stop()).toBe(0);
  });

  test('listens on this machine alone, and says where', async () => {
    expect(daemon.httpAddress).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const reply = await fetch(`${daemon.httpAddress}/health`);
    expect([reply.status, await reply.json()]).toEqual([200, { status: 'ok' }]);
  });

  test('says what is not there', async () => {
    const reply = await fetch(`${daemon.httpAddress}/nothing-of-the-kind`);
    expect([reply.status, await reply.json()]).toEqual([
      404,
      { error: { code: 'not_found', message: 'there is no GET /nothing-of-the-kind' } },
    ]);
  });

  test.each([
    [{ origin: 'https://example.org' }, 403],
    [{ origin: 'http://127.0.0.1:1' }, 403],
    [{ origin: 'http://localhost' }, 403],
    [{ origin: 'not an origin' }, 403],
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    // As in ComfyUI: a port counts where both have one.
    [{ origin: 'http://127.0.0.1' }, 200],
    [{ 'sec-fetch-site': 'same-origin' }, 200],
  ])('pages of other web sites may not ask: %j is %i', async (headers, status) => {
    const reply = await fetch(`${daemon.httpAddress}/health`, { headers: headers as Record<string, string> });
    expect(reply.status).toBe(status);
  });

  test('describes its routes', async () => {
    const reply = await fetch(`${daemon.httpAddress}/openapi.json`);
    const { paths } = (await reply.json()) as { paths: Record<string, Record<string, object>> };
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining(['/health', '/prompt', '/api/v2/jobs', '/sdapi/v1/txt2img', '/v1/images/edits']),
    );
    expect(paths['/userdata']!['get']).toHaveProperty(
      'parameters',
      expect.arrayContaining([expect.objectContaining({ name: 'recurse', in: 'query' })]),
    );
    // What it says is what is checked.
    const twice = await fetch(`${daemon.httpAddress}/view?filename=a&filename=b`);
    expect([twice.status, await twice.json()]).toMatchObject([
      400,
      { error: { message: expect.stringContaining('filename') as string } },
    ]);
  });
});

test('with --http-tokens, only those who show one are answered', async () => {
  writeFileSync(home.path('tokens'), '# those of the lab\n\nfirst-token\nsecond-token\n');
  const daemon = await home.start('--http', '127.0.0.1:0', '--http-tokens', home.path('tokens'));
  const ask = async (path: string, authorization?: string) => {
    const reply = await fetch(`${daemon.httpAddress}${path}`, {
      headers: authorization === undefined ? {} : { authorization },
    });
    return reply.status;
  };
  expect(await ask('/openapi.json')).toBe(401);
  expect(await ask('/openapi.json', 'Bearer third-token')).toBe(401);
  expect(await ask('/openapi.json', 'Bearer # those of the lab')).toBe(401);
  expect(await ask('/openapi.json', 'Bearer second-token')).toBe(200);
  const basic = Buffer.from('anybody:first-token').toString('base64');
  expect(await ask('/openapi.json', `Basic ${basic}`)).toBe(200);
  // What watches over services has no token.
  expect(await ask('/health')).toBe(200);
  expect(await daemon.stop()).toBe(0);
});

test('with --cors-origin, the pages of that site may ask', async () => {
  const daemon = await home.start('--http', '0', '--cors-origin', 'https://example.org');
  const reply = await fetch(`${daemon.httpAddress}/health`, { headers: { origin: 'https://example.org' } });
  expect(reply.status).toBe(200);
  expect(reply.headers.get('access-control-allow-origin')).toBe('https://example.org');
  expect(await daemon.stop()).toBe(0);
});

test('with --tls-cert and --tls-key, it speaks HTTPS', async () => {
  const [cert, key] = [home.path('cert.pem'), home.path('key.pem')];
  const subject = ['-subj', '/CN=localhost', '-days', '2'];
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...subject],
    {
      stdio: 'ignore',
    },
  );
  const daemon = await home.start('--http', '0', '--tls-cert', cert, '--tls-key', key);
  expect(daemon.httpAddress).toMatch(/^https:/);
  const status = await new Promise((resolve, reject) => {
    request(`${daemon.httpAddress}/health`, { rejectUnauthorized: false }, (reply) => {
      reply.resume();
      resolve(reply.statusCode);
    })
      .on('error', reject)
      .end();
  });
  expect(status).toBe(200);
  expect(await daemon.stop()).toBe(0);
});

test.each([
  [['--http', 'nowhere'], '--http must be an address like 127.0.0.1:8188, 8188 or [::1]:8188, not "nowhere"'],
  [['--http', '0', '--tls-key', 'key.pem'], '--tls-cert and --tls-key are given together, or neither is'],
  [['--http', '0', '--http-tokens', 'not-there'], '--http-tokens: ENOENT'],
])('refuses to start with %j', async (args, complaint) => {
  const daemon = home.launch(...args);
  expect(await daemon.ended()).toBe(2);
  expect(daemon.complaints.join('\n')).toContain(complaint);
});
