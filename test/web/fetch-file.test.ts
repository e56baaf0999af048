import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fetchFile, PICTURE_LIMITS } from '../../src/web/fetch-file.js';
import { isPublicAddress } from '../../src/web/public-addresses.js';

/** A server of this machine, and its address. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const mayConnect = (address: string) => address === '127.0.0.1';

describe('addresses', () => {
  it.each([
    ...['127.0.0.1', '10.1.2.3', '172.31.255.255', '192.168.0.1', '169.254.169.254', '100.64.0.1', '0.0.0.0'],
    ...['224.0.0.1', '255.255.255.255', '::1', '::', 'fe80::1', 'fd00::1', 'ff02::1', '::ffff:127.0.0.1'],
    ...['64:ff9b::7f00:1', '2002:7f00:1::', '2001:0:1::', '2001:db8::1', 'localhost', ''],
  ])('%s is not public', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each(['1.1.1.1', '8.8.8.8', '172.32.0.1', '2606:4700::1111', '2a00:1450::1'])('%s is', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });
});

describe('a file by its address', () => {
  it('is fetched, where it was sent on to as well', async () => {
    const address = await serve((request, response) => {
      if (request.url === '/old') response.writeHead(302, { location: '/new' }).end();
      else response.end(`file of ${String(request.url)}`);
    });
    expect(String(await fetchFile(`${address}/old`, { mayConnect }))).toBe('file of /new');
  });

  it.each([
    ['http://127.0.0.1/', 'no public host'],
    ['http://[::1]/', 'no public host'],
    ['http://2130706433/', 'no public host'],
    ['http://0x7f.1/', 'no public host'],
    ['http://localhost/', 'no public host'],
    ['https://169.254.169.254/latest/meta-data', 'no public host'],
    ['file:///etc/passwd', 'no address of http or https'],
    ['http://user:secret@1.1.1.1/', 'name and a password'],
    ['nothing', 'is no address'],
  ])('%s is refused', async (address, reason) => {
    await expect(fetchFile(address)).rejects.toThrow(reason);
  });

  it('is refused where a public host sends on to a private one', async () => {
    const address = await serve((_, response) => {
      response.writeHead(302, { location: 'http://127.0.0.2/inside' }).end();
    });
    await expect(fetchFile(address, { mayConnect })).rejects.toThrow('no public host: 127.0.0.2');
    const elsewhere = await serve((_, response) => {
      response.writeHead(302, { location: 'ftp://127.0.0.1/' }).end();
    });
    await expect(fetchFile(elsewhere, { mayConnect })).rejects.toThrow('no address of http or https');
  });

  it('is refused where it is too long, whether it says so or not, and after too many turns', async () => {
    const address = await serve((request, response) => {
      if (request.url === '/round') response.writeHead(302, { location: '/round' }).end();
      else if (request.url === '/said') response.end('12345');
      else response.writeHead(200, { 'transfer-encoding': 'chunked' }).end('12345');
    });
    const limits = { ...PICTURE_LIMITS, bytes: 4 };
    for (const path of ['said', 'unsaid']) {
      await expect(fetchFile(`${address}/${path}`, { mayConnect, limits })).rejects.toThrow(
        'more than 4 bytes',
      );
    }
    await expect(fetchFile(`${address}/round`, { mayConnect })).rejects.toThrow('sends on more than 5 times');
  });

  it('is given up when its time is over, when the job is cancelled, and when there is none', async () => {
    const address = await serve((request, response) => {
      if (request.url === '/none') response.writeHead(404).end();
      else response.writeHead(200).write('1');
    });
    const limits = { ...PICTURE_LIMITS, time: 20 };
    await expect(fetchFile(address, { mayConnect, limits })).rejects.toThrow('took longer than 0.02 s');
    const cancellation = new AbortController();
    const fetched = fetchFile(address, { mayConnect, signal: cancellation.signal });
    cancellation.abort(new Error('cancelled'));
    await expect(fetched).rejects.toThrow('cancelled');
    await expect(fetchFile(`${address}/none`, { mayConnect })).rejects.toThrow('answers 404');
  });
});
