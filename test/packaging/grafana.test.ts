import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { buildCli } from '../cli/latentd.js';
import { DaemonHome } from '../support/daemon-process.js';

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly targets: readonly { readonly expr: string }[];
  }[];
}

test('the dashboard asks for what the daemon tells', async () => {
  const file = new URL('../../packaging/grafana/latentd.json', import.meta.url);
  const { panels } = JSON.parse(readFileSync(file, 'utf8')) as Dashboard;
  const asked = panels.flatMap(({ targets }) =>
    targets.flatMap(({ expr }) => expr.match(/\b(?:latentd|process|nodejs)_\w+/g) ?? []),
  );
  expect(asked.length).toBeGreaterThanOrEqual(panels.length);

  buildCli();
  const home = new DaemonHome();
  const daemon = await home.start('--http', '0');
  onTestFinished(async () => {
    await daemon.stop();
    home.remove();
  });
  const metrics = await (await fetch(`${daemon.httpAddress}/metrics`)).text();
  const told = new Map(
    [...metrics.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name, type]) => [name!, type!]),
  );
  const lacking = asked.filter((name) => {
    const base = name.replace(/_(?:bucket|sum|count)$/, '');
    return !told.has(name) && told.get(base) !== 'histogram';
  });
  expect(lacking).toEqual([]);
});
