/** Files that ComfyUI 0.29.0 itself saved (tools/reference/workflow_files.py), and ffmpeg as VideoHelperSuite calls it. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { workflowFileText } from '../../../src/workflow/file-text.js';
import { parseWorkflow } from '../../../src/workflow/parse.js';
import { ffmpeg } from '../../video/clips.js';

const fixture = (name: string) => join(import.meta.dirname, '../../fixtures/workflow-files', name);
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'latentd-carried-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('what ComfyUI saves', () => {
  test.each(['still.png', 'apng.png', 'webp.webp', 'mp4.mp4', 'webm.webm'])('%s', (name) => {
    const { nodes, extraData } = parseWorkflow(workflowFileText(fixture(name)));
    expect(nodes.get('1')?.inputs).toEqual(
      new Map([
        ['width', 16n],
        ['height', 16n],
        ['batch_size', 2n],
        ['color', 255n],
      ]),
    );
    expect([...nodes.keys()].slice(0, 7)).toEqual(['1', '2', '3', '4', '5', '6', '7']);
    expect(JSON.stringify([...extraData], (_, value: unknown) => plain(value))).toContain('still — é');
  });
});

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  return value instanceof Map ? [...(value as ReadonlyMap<unknown, unknown>)] : value;
}

describe('what VideoHelperSuite saves', () => {
  const prompt = '{"1": {"class_type": "EmptyImage", "inputs": {"text": "a; b = c # \\\\ \\n"}}}';
  const source = ['-f', 'lavfi', '-i', 'color=red:s=16x16:r=5:d=0.4'];

  test.each([
    ['mp4', ['-movflags', 'use_metadata_tags']],
    ['mov', ['-movflags', 'use_metadata_tags']],
    ['webm', ['-c:v', 'libvpx-vp9']],
    ['mkv', []],
  ])('tags of %s', (ending, options) => {
    const film = join(folder, `tags.${ending}`);
    ffmpeg(
      ...source,
      '-metadata',
      `prompt=${prompt}`,
      '-metadata',
      'workflow={"nodes": []}',
      ...options,
      film,
    );
    const { nodes } = parseWorkflow(workflowFileText(film));
    expect(nodes.get('1')?.inputs.get('text')).toBe('a; b = c # \\ \n');
  });

  test('a comment with both, of its older versions', () => {
    const film = join(folder, 'comment.mp4');
    const comment = JSON.stringify({ prompt, workflow: { nodes: [] } });
    ffmpeg(...source, '-metadata', `comment=${comment}`, film);
    expect(parseWorkflow(workflowFileText(film)).nodes.get('1')?.classType).toBe('EmptyImage');
  });

  test('a GIF, by the picture beside it', () => {
    const gif = join(folder, 'film.gif');
    ffmpeg(...source, gif);
    expect(() => workflowFileText(gif)).toThrow(/This GIF picture carries no workflow/);
    copyFileSync(fixture('still.png'), join(folder, 'film.png'));
    expect(parseWorkflow(workflowFileText(gif)).nodes.get('1')?.classType).toBe('EmptyImage');
  });

  test('a film without one says so', () => {
    const film = join(folder, 'plain.mp4');
    ffmpeg(...source, film);
    expect(() => workflowFileText(film)).toThrow(/This MP4 film or AVIF picture carries no workflow/);
  });
});

test('bytes of no kind are read as text', () => {
  const file = join(folder, 'workflow.txt');
  writeFileSync(file, '{"1": {"class_type": "A", "inputs": {}}}');
  expect(parseWorkflow(workflowFileText(file)).nodes.size).toBe(1);
});
