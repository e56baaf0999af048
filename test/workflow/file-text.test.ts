import { expect, it } from 'vitest';
import { WorkflowError } from '../../src/workflow/faults.js';
import { workflowText } from '../../src/workflow/file-text.js';
import { parseWorkflow } from '../../src/workflow/parse.js';

const json = '{"1": {"class_type": "A", "inputs": {"text": "Grüße, 世界 😀"}}}';
const utf16 = (text: string) => Buffer.from(text, 'utf16le');

it('reads UTF-8, with and without a byte order mark', () => {
  for (const text of [json, `\ufeff${json}`, json.replace('Grüße', '\ufffd')]) {
    expect(workflowText(Buffer.from(text))).toBe(text);
    expect([...parseWorkflow(workflowText(Buffer.from(text))).nodes.keys()]).toEqual(['1']);
  }
});

it.each<[encoding: string, bytes: Uint8Array]>([
  ['UTF-16', utf16(json)],
  ['UTF-16', utf16(`\ufeff${json}`)],
  ['UTF-16', utf16(json).swap16()],
  ['UTF-16', utf16(`\ufeff${json}`).swap16()],
  ['UTF-32', Buffer.from([0x7b, 0, 0, 0, 0x7d, 0, 0, 0])],
  ['UTF-32', Buffer.from([0xff, 0xfe, 0, 0, 0x7b, 0, 0, 0])],
  ['UTF-32', Buffer.from([0, 0, 0, 0x7b, 0, 0, 0, 0x7d])],
  [
    'Latin-1 or Windows-1252 (byte 48 is 0xfc)',
    Buffer.from('{"1": {"class_type": "A", "inputs": {"text": "Grüße"}}}', 'latin1'),
  ],
  [
    'Latin-1 or Windows-1252 (byte 49 is 0xed)',
    Buffer.concat([
      Buffer.from('{"1": {"class_type": "A", "inputs": {"text": "\ufffd'),
      Buffer.from([0xed, 0xa0, 0x80]),
      Buffer.from('"}}}'),
    ]),
  ],
])('refuses %s by name', (encoding, bytes) => {
  let refusal: unknown;
  try {
    workflowText(bytes);
  } catch (error) {
    refusal = error;
  }
  expect(refusal).toBeInstanceOf(WorkflowError);
  expect((refusal as WorkflowError).message).toBe(
    `The workflow is not UTF-8 text: it looks like ${encoding}; save it as UTF-8`,
  );
});

it('reads an empty file, which then is no JSON', () => {
  expect(workflowText(new Uint8Array(0))).toBe('');
});
