/** What pictures carry, written as others write it: chunk by chunk, and by sharp. */
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { bytesOf } from '../../../src/workflow/embedded/bytes.js';
import { carriedWorkflow } from '../../../src/workflow/embedded/carried-workflow.js';
import { carriedTexts } from '../../../src/workflow/embedded/texts.js';
import { workflowText } from '../../../src/workflow/file-text.js';
import { parseWorkflow } from '../../../src/workflow/parse.js';

const prompt =
  '{"1": {"class_type": "EmptyImage", "inputs": {"width": 18446744073709551615}, "is_changed": NaN}}';
const editor = '{"nodes": [], "links": [], "version": 0.4}';

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(data.length, 0);
  ends.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
}

const png = (...chunks: Buffer[]) =>
  Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', Buffer.alloc(13)),
    ...chunks,
    chunk('IEND', Buffer.alloc(0)),
  ]);
const text = (key: string, value: string) => chunk('tEXt', Buffer.from(`${key}\0${value}`, 'utf8'));

const textsIn = (file: Buffer) => carriedTexts(bytesOf(file))?.texts;
const raster = () => sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } });

describe('a PNG', () => {
  test('in each kind of text', () => {
    const file = png(
      text('prompt', prompt),
      chunk('zTXt', Buffer.concat([Buffer.from('workflow\0\0'), deflateSync(editor)])),
      chunk('iTXt', Buffer.from('parameters\0\0\0en\0\0ümlaut', 'utf8')),
      chunk('comf', Buffer.from('other\0{"a": 1}')),
    );
    expect([...textsIn(file)!]).toEqual([
      ['prompt', prompt],
      ['workflow', editor],
      ['parameters', 'ümlaut'],
      ['other', '{"a": 1}'],
    ]);
  });

  test('gives the API form, with the other for the pictures that are made of it', () => {
    const workflow = parseWorkflow(workflowText(png(text('prompt', prompt), text('workflow', editor))));
    expect(workflow.nodes.get('1')?.inputs.get('width')).toBe(18446744073709551615n);
    expect(workflow.extraData.get('extra_pnginfo')).toEqual(
      new Map([
        [
          'workflow',
          new Map<string, unknown>([
            ['nodes', []],
            ['links', []],
            ['version', 0.4],
          ]),
        ],
      ]),
    );
  });

  test('gives the editor form alone, or the API form under its name', () => {
    expect(JSON.parse(workflowText(png(text('workflow', editor))))).toEqual(JSON.parse(editor));
    expect(parseWorkflow(workflowText(png(text('workflow', prompt)))).nodes.size).toBe(1);
  });

  test('without one says what it has', () => {
    expect(() => workflowText(png(text('Software', 'x'), text('Title', 'y')))).toThrow(
      /This PNG picture carries no workflow: its texts are software, title/,
    );
  });

  test('cut off anywhere gives what can be read, or says there is none', () => {
    const file = png(text('prompt', prompt), text('workflow', editor));
    for (let length = 0; length < file.length; length += 7) {
      const texts = textsIn(file.subarray(0, length));
      expect(texts === undefined || texts.size <= 2).toBe(true);
    }
  });
});

describe('EXIF', () => {
  const exif = { IFD0: { Model: `prompt:${prompt}`, Make: `workflow:${editor}` } };

  test.each(['webp', 'jpeg', 'avif'] as const)('of %s, as SaveAnimatedWEBP writes it', async (format) => {
    const file = await raster().toFormat(format).withExif(exif).toBuffer();
    expect(textsIn(file)?.get('prompt')).toBe(prompt);
    expect(textsIn(file)?.get('workflow')).toBe(editor);
  });

  test('a comment with parameters, as A1111 writes it', () => {
    const comment = Buffer.from(
      'a cat\nNegative prompt: dog\nSteps: 4, Sampler: Euler a, Seed: 3',
      'utf16le',
    );
    const value = Buffer.concat([Buffer.from('UNICODE\0'), Buffer.from(comment).swap16()]);
    expect(textsIn(png(chunk('eXIf', userComment(value))))?.get('parameters')).toMatch(
      /^a cat\nNeg.*Seed: 3$/s,
    );
  });

  test('JSON with both forms in it', () => {
    const both = JSON.stringify({
      prompt: JSON.parse('{"1": {"class_type": "A", "inputs": {}}}') as object,
      workflow: editor,
    });
    const texts = textsIn(png(chunk('eXIf', userComment(Buffer.from(`ASCII\0\0\0${both}`)))))!;
    const read = JSON.parse(carriedWorkflow(texts)!) as Record<string, Record<string, unknown>>;
    expect(read['prompt']).toHaveProperty('1.class_type', 'A');
    expect(read['extra_data']).toHaveProperty('extra_pnginfo.workflow.version', 0.4);
  });
});

/** A TIFF header, a directory that points to EXIF's own, and that with one comment. */
function userComment(value: Buffer): Buffer {
  const head = Buffer.alloc(8 + 18 + 18);
  head.write('MM\0*', 'latin1');
  head.writeUInt32BE(8, 4);
  const entry = (at: number, tag: number, type: number, count: number, offset: number) => {
    head.writeUInt16BE(1, at);
    head.writeUInt16BE(tag, at + 2);
    head.writeUInt16BE(type, at + 4);
    head.writeUInt32BE(count, at + 6);
    head.writeUInt32BE(offset, at + 10);
  };
  entry(8, 0x8769, 4, 1, 26);
  entry(26, 0x9286, 7, value.length, head.length);
  return Buffer.concat([head, value]);
}

test('a comment of a GIF', () => {
  const comment = Buffer.from(JSON.stringify({ workflow: JSON.parse(editor) as object }));
  const gif = Buffer.concat([
    Buffer.from('GIF89a\x01\0\x01\0\x80\0\0', 'latin1'),
    Buffer.alloc(6),
    Buffer.from([0x21, 0xfe, comment.length]),
    comment,
    Buffer.from([0, 0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0, 0x3b]),
  ]);
  expect(JSON.parse(workflowText(gif))).toEqual(JSON.parse(editor));
});
