import { describe, expect, it } from 'vitest';
import { compareReports } from '../../../src/bench/compare.js';
import { renderHtml } from '../../../src/cli/bench/html.js';
import { comparisonText, reportText } from '../../../src/cli/bench/table.js';
import { one, report } from '../../bench/sample-report.js';

describe('as a table', () => {
  const text = reportText(report(1000));

  it('shows each stage with its share of the peak', () => {
    const [heading, peakLine] = text.split('\n');
    expect(heading).toBe('latentd 0.1.0, Example 9000, 2 of 2 threads, fp32, avx2');
    expect(peakLine).toBe('peak, measured: 100 GFLOP/s (products)');
    expect(text).toContain(
      'sd15.safetensors 512×512, batch 2, 3 steps of euler (normal) · sd1 F16 1.9 GB · on the cpu',
    );
    expect(text).toMatch(/^warm, 6 runs after 1$/m);
    expect(text).toMatch(/^ {2}vae decode +500 ms +500 ms +500 ms +50\.0 GFLOP\/s +50 % +20 %$/m);
    expect(text).toMatch(/^ {2}png +60\.0 ms +60\.0 ms +60\.0 ms$/m);
    expect(text).toMatch(/^steps: 993 ms {2}1\.00 s {2}1\.01 s$/m);
    expect(text).toMatch(/^32\.68 images\/min · 1\.5 processors busy$/m);
    expect(text).toMatch(/^memory: 2\.8 GB at most in one run, 3\.7 GB in all; .* · no GPU$/m);
  });

  it('warns of what spoils the figures', () => {
    expect(text).toMatch(/^! 2 of 2 cold runs read from disk, 1\.9 GB/m);
    expect(text).not.toContain('busy with other things');
    const busy = report(1000, { machine: { ...report(1000).machine, load: 7 } });
    expect(reportText(busy)).toMatch(
      /^! the machine is busy with other things: a load of 7\.0 on 2 threads/m,
    );
  });

  it('shows a comparison with its sizes', () => {
    const lines = comparisonText(compareReports(report(1000), report(800)));
    expect(lines).toMatch(
      /^ {2}warm step +1\.00 s +803 ms +−20\.0 % +−20\.\d % … −19\.\d % +0\.\d+ +faster$/m,
    );
  });
});

describe('as a page', () => {
  const wider = report(1000).cases.map((each) => ({ ...each, case: { ...one, checkpoint: 'a<b>&"c"' } }));
  const both = report(1000, { cases: [...report(1000).cases, ...wider] });
  const page = renderHtml(both, compareReports(report(1100), both));

  it('needs nothing from elsewhere', () => {
    expect(page).not.toMatch(/<script|<link|<img|src=|href=|url\(|@import|https?:/);
  });

  it('escapes names', () => {
    expect(page).toContain('a&lt;b&gt;&amp;&quot;c&quot;');
    expect(page).not.toContain('a<b>');
  });

  it('is well formed, and every number in it is one', () => {
    const open: string[] = [];
    for (const [, slash, tag, rest] of page.matchAll(/<(\/?)([a-z0-9]+)([^>]*)>/g)) {
      if (slash === '/') expect(open.pop()).toBe(tag);
      else if (tag !== 'meta' && !rest!.startsWith('!')) open.push(tag!);
    }
    expect(open).toEqual([]);
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('has the charts of each case, of all cases, and of the changes', () => {
    const charts = [...page.matchAll(/<svg [^>]*aria-label="([^"]*)"/g)].map(([, label]) => label);
    const each = ['stages of a cold and a warm run', 'time of each sampling step'];
    const rest = ['share of peak compute and bandwidth', 'samples of each stage'];
    expect(charts).toEqual([
      'change of each stage',
      'images a minute',
      'stages of each case',
      ...[...each, ...rest, ...each, ...rest],
    ]);
  });
});
