import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildCli } from '../../cli/latentd.js';
import { DaemonHome, generate } from '../../support/daemon-process.js';
import { connectStranger, untilClosed } from '../../support/strangers.js';

let home: DaemonHome;

beforeAll(() => {
  buildCli();
  home = new DaemonHome();
});
afterAll(() => {
  home.remove();
});

test('with few open files and a crowd of silent strangers, clients get their pictures, and new ones come when they go', async () => {
  const daemon = home.launchWithin(160, '--max-connections', '4');
  await daemon.logged('ready');
  const client = daemon.client();
  const listener = await daemon.listen();
  try {
    await client.ask({ type: 'ping' });
    // Faster than the daemon turns them away, so that for a moment there are no descriptors left.
    const strangers = Array.from({ length: 250 }, () => connectStranger(daemon.requestAddress));
    // Two connections are the client's.
    await untilClosed(strangers, 248);
    const request = generate();
    await client.accept(request);
    expect((await listener.untilOver(request.id)).at(-1)).toMatchObject({ type: 'job_complete' });
    const refusals = daemon.log.filter(({ msg }) => msg.startsWith('too many connections'));
    expect(refusals).toHaveLength(1);
    expect(refusals[0]).toMatchObject({ maxConnections: 4, level: 40 });

    for (const stranger of strangers) stranger.destroy();
    const next = daemon.client();
    expect(await next.ask({ type: 'ping' })).toMatchObject({ type: 'pong' });
    next.close();
  } finally {
    client.close();
    listener.close();
    await daemon.stop();
  }
});
