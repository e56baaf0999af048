import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { ServiceManager } from '../../../src/cli/serve/service-manager.js';

test('a status is one line, whatever a job is called', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'latentd-notify-'));
  // Node.js has no datagram sockets of Unix; perl is part of every Debian.
  const script =
    'socket(S, PF_UNIX, SOCK_DGRAM, 0) or die; bind(S, sockaddr_un($ARGV[0])) or die; $| = 1; ' +
    'print "bound\\n"; while (defined recv(S, $m, 4096, 0)) { $m =~ s/\\n/<newline>/g; print "$m\\n" }';
  const socket = join(folder, 'notify');
  const systemd = spawn('perl', ['-MSocket', '-e', script, socket]);
  try {
    const lines = createInterface(systemd.stdout);
    await once(lines, 'line');
    const faults: Error[] = [];
    const manager = new ServiceManager({ NOTIFY_SOCKET: socket }, (error) => faults.push(error));
    const told = once(lines, 'line');
    manager.status(`running x\nWATCHDOG=trigger\nMAINPID=1${'y'.repeat(9000)}`);
    const [line] = (await told) as [string];
    expect(line).toMatch(/^STATUS=running x\?WATCHDOG=trigger\?MAINPID=1y+… \(\d+ characters\)$/);
    expect(line.length).toBeLessThan(400);
    expect(faults).toEqual([]);
  } finally {
    systemd.kill();
    rmSync(folder, { recursive: true });
  }
});
