/** The page in Debian's Chromium, against a daemon. */
import { readFileSync } from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildCli } from '../../cli/latentd.js';
import { DaemonHome, generate, type DaemonProcess } from '../../support/daemon-process.js';
import { smallWorkflow } from '../../support/small-workflow.js';

let home: DaemonHome;
let daemon: DaemonProcess;
let browser: Browser;
let page: Page;
const complaints: string[] = [];

/** More digits than a double holds. */
const SEED = '18446744073709551615';

const workflow = (more: Parameters<typeof smallWorkflow>[0] = {}) =>
  smallWorkflow({ seed: SEED, prefix: 'page', ...more });

/** A blue picture, saved. */
const EDITOR_WORKFLOW = {
  version: 0.4,
  nodes: [
    {
      id: 1,
      type: 'EmptyImage',
      mode: 0,
      inputs: [],
      outputs: [{ name: 'IMAGE', type: 'IMAGE', links: [1] }],
      widgets_values: [64, 64, 1, 255],
    },
    {
      id: 2,
      type: 'SaveImage',
      mode: 0,
      inputs: [{ name: 'images', type: 'IMAGE', link: 1 }],
      outputs: [],
      widgets_values: ['editor'],
    },
  ],
  links: [[1, 1, 0, 2, 0, 'IMAGE']],
};

async function choose(name: string, text: string) {
  await page.setInputFiles('#file', { name, mimeType: 'application/json', buffer: Buffer.from(text) });
}

/** Drops a file on the page, as a hand would. What runs in the browser is given as text: this project has no DOM types. */
async function drop(name: string, type: string, bytes: Buffer) {
  const transfer = await page.evaluateHandle(`(() => {
    const bytes = Uint8Array.from(atob('${bytes.toString('base64')}'), (character) => character.charCodeAt(0));
    const held = new DataTransfer();
    held.items.add(new File([bytes], '${name}', { type: '${type}' }));
    return held;
  })()`);
  await page.dispatchEvent('body', 'dragover', { dataTransfer: transfer });
  expect(await page.isVisible('#drop-hint')).toBe(true);
  await page.dispatchEvent('body', 'drop', { dataTransfer: transfer });
}

/** Waits for a list to have so many items. */
const items = (list: string, count: number) =>
  page.locator(`${list}:has(> li:nth-child(${count})):not(:has(> li:nth-child(${count + 1})))`).waitFor();
const pictureCount = (count: number) => items('#pictures', count);

beforeAll(async () => {
  buildCli();
  home = new DaemonHome();
  daemon = await home.start('--http', '0');
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
});
beforeEach(async () => {
  page = await browser.newPage();
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', ({ message }) => complaints.push(message));
  await page.goto(daemon.httpAddress);
  await page.waitForSelector('#connection:has-text("connected")');
  // Whatever there is, is there.
  await page.waitForSelector('#pictures li, #no-pictures:not([hidden])');
  return () => page.close();
});
afterAll(async () => {
  await browser.close();
  await daemon.stop();
  home.remove();
});

test('says what the machine is and which models there are', async () => {
  await page.waitForSelector('#models details');
  const lists = await page.locator('#models summary').allInnerTexts();
  expect(lists).toEqual(['checkpoints (2)', 'loras (1)']);
  await page.click('#models summary');
  expect(await page.locator('#models li').allInnerTexts()).toContain('sd15-tiny.safetensors');
  expect(await page.innerText('#machine-facts')).toMatch(/Device\s+cpu\s+Memory/);
});

describe('a workflow', () => {
  test('is run, and its picture shows with the workflow behind it', async () => {
    await choose('knight.json', `{"prompt": ${workflow()}, "extra": "}"}`);
    await pictureCount(1);
    // By keyboard alone.
    await page.keyboard.press('g');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#viewer[open]');
    const facts = await page.innerText('#viewer-facts');
    expect(facts).toMatch(/Prompt\s+a knight/);
    expect(facts).toContain(SEED);
    expect(await page.textContent('#viewer-workflow')).toContain(`"seed": ${SEED}`);
    const decoded = `document.querySelector('#viewer img').decode().then(() => document.querySelector('#viewer img').naturalWidth)`;
    expect(await page.evaluate<number>(decoded)).toBe(64);
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#download')]);
    const saved = readFileSync(await download.path(), 'utf8');
    expect(JSON.parse(saved)).toEqual(JSON.parse(workflow()));
    expect(saved).toContain(SEED);
    await page.keyboard.press('r');
    await pictureCount(2);
    await page.keyboard.press('Escape');
    expect(await page.isVisible('#viewer')).toBe(false);
  });

  test('comes out of a picture that is dropped', async () => {
    const picture = readFileSync(home.path('output/page_00001_.png'));
    await drop('page_00001_.png', 'image/png', picture);
    await pictureCount(3);
  });

  test("in the editor's own form is run, too", async () => {
    const before = await page.locator('#pictures li').count();
    await choose('editor.json', JSON.stringify(EDITOR_WORKFLOW));
    await pictureCount(before + 1);
  });

  test.each([
    ['no JSON', 'text.json', 'words', /text\.json: Not JSON/],
    ['one with faults', 'faulty.json', workflow({ seed: '-1' }), /KSampler \(4\): .*min/],
  ])('of %s is told to be wrong', async (_, name, text, message) => {
    await choose(name, text);
    const notice = page.locator('#notices li.fault');
    await notice.waitFor();
    expect(await notice.innerText()).toMatch(message);
    // Chromium itself says that the daemon refused.
    complaints.splice(0);
  });
});

test('what runs shows how it comes about, what waits can be removed, and both can be stopped', async () => {
  const long = (text: string) => workflow({ steps: 3000, size: 128, seed: '1', text });
  await choose('long.json', long('a long way'));
  await choose('second.json', long('waits'));
  await choose('third.json', long('waits longer'));
  await page.waitForSelector('#preview:not([hidden])');
  // What it is called comes after it has begun.
  await page.waitForSelector('#running-name:has-text("a long way")');
  await page.waitForSelector('#progress-text:has-text("of 3000")');
  await items('#waiting', 2);
  expect(await page.innerText('#progress-text')).toMatch(/^sampling, step \d+ of 3000/);
  expect(await page.locator('#waiting span').allInnerTexts()).toEqual(['waits', 'waits longer']);
  await page.click('#waiting button');
  await items('#waiting', 1);
  await page.keyboard.press('s');
  await page.waitForSelector('#running-name:has-text("waits longer")');
  await page.click('#stop');
  await page.waitForSelector('#idle:not([hidden])');
});

test('jobs of other clients show, too', async () => {
  const client = daemon.client();
  const before = await page.locator('#pictures li').count();
  await client.accept(generate({ steps: 1, prompt: 'over another line' }));
  client.close();
  await pictureCount(before + 1);
  expect(await page.getAttribute('#pictures button', 'title')).toContain('over another line');
});

test('dark and light, kept over a reload', async () => {
  const ground = () => page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
  const light = await ground();
  await page.keyboard.press('d');
  const dark = await ground();
  expect(dark).not.toBe(light);
  await page.reload();
  expect(await ground()).toBe(dark);
});

test('fits a phone', async () => {
  await page.setViewportSize({ width: 360, height: 640 });
  expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBe(360);
  await page.click('#pictures button');
  await page.waitForSelector('#viewer[open]');
  expect(
    await page.evaluate<number>(`document.querySelector('#viewer').getBoundingClientRect().right`),
  ).toBeLessThanOrEqual(360);
});

test('nothing was complained of, and nothing was loaded from elsewhere', () => {
  expect(complaints).toEqual([]);
});
