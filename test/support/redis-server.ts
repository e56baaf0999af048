/** A Redis server of a test's own, on a socket in a folder of its own, with an append-only file. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';

export class RedisServer {
  private readonly folder = mkdtempSync(join(tmpdir(), 'latentd-redis-'));
  private child: ChildProcess | undefined;
  private readonly clients: Redis[] = [];

  get socket(): string {
    return join(this.folder, 'redis.sock');
  }

  /** What `--redis` takes. */
  get url(): string {
    return `unix://${this.socket}`;
  }

  async start(...settings: readonly string[]): Promise<void> {
    const args = [
      '--port',
      '0',
      '--unixsocket',
      this.socket,
      '--dir',
      this.folder,
      '--appendonly',
      'yes',
      '--save',
      '',
    ];
    const child = spawn('redis-server', [...args, ...settings], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.child = child;
    let log = '';
    await new Promise<void>((resolve, reject) => {
      child.stdout.on('data', (text: Buffer) => {
        log = (log + String(text)).slice(-5000);
        if (/ready to accept connections/i.test(log)) resolve();
      });
      child.once('error', reject);
      child.once('exit', () => {
        reject(new Error(`redis-server ended: ${log}`));
      });
    });
  }

  client(): Redis {
    const client = new Redis(this.socket, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
    client.on('error', () => undefined);
    this.clients.push(client);
    return client;
  }

  /** As a crash would. */
  async kill(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  async remove(): Promise<void> {
    for (const client of this.clients) client.disconnect();
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
