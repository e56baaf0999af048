import { expect, test } from 'vitest';
import { EditError, findNode, setInput } from '../../src/templates/edit-workflow.js';
import { fillPlaceholders, placeholdersOf } from '../../src/templates/placeholders.js';
import { literalObject } from '../../src/workflow/literal.js';
import { parseWorkflow } from '../../src/workflow/parse.js';

const workflow = parseWorkflow(
  JSON.stringify({
    1: {
      class_type: 'CLIPTextEncode',
      _meta: { title: 'Positive Prompt' },
      inputs: { text: 'a {{PROMPT}}, frame {{FRAME_INDEX}}, {{OTHER}}', clip: ['2', 1] },
    },
    2: { class_type: 'KSampler', inputs: { seed: '{{BATCH_INDEX}}', steps: 20 } },
  }),
);
const values = { PROMPT: 'knight of $& {{FRAME_INDEX}}', BATCH_INDEX: 3, FRAME_INDEX: 7 };

test('placeholders are found and filled, in what pictures will carry too', () => {
  expect([...placeholdersOf(workflow)].sort()).toEqual(['BATCH_INDEX', 'FRAME_INDEX', 'PROMPT']);
  const node = fillPlaceholders(workflow, values).nodes.get('1')!;
  const text = 'a knight of $& {{FRAME_INDEX}}, frame 7, {{OTHER}}';
  expect(node.inputs.get('text')).toBe(text);
  expect(node.inputs.get('clip')).toEqual(['2', 1n]);
  expect(node.source.get('inputs')).toEqual(node.inputs);
  expect(node.source.get('_meta')).toEqual(literalObject({ title: 'Positive Prompt' }));
});

test("a text that is a number's placeholder becomes the number", () => {
  expect(fillPlaceholders(workflow, values).nodes.get('2')!.inputs.get('seed')).toBe(3n);
});

test('the workflow that was given stays as it is', () => {
  fillPlaceholders(workflow, values);
  expect(workflow.nodes.get('2')!.inputs.get('seed')).toBe('{{BATCH_INDEX}}');
});

test('nodes are found by id and by title', () => {
  expect(findNode(workflow, '2')).toBe('2');
  expect(findNode(workflow, 'Positive Prompt')).toBe('1');
  expect(() => findNode(workflow, 'Positive Promt')).toThrow('nearest: "Positive Prompt"');
});

test('only an input that a node has can be set', () => {
  expect(setInput(workflow, '2', 'steps', 4n).nodes.get('2')!.inputs.get('steps')).toBe(4n);
  expect(() => setInput(workflow, '2', 'step', 4n)).toThrow(
    'node 2 (KSampler) has no input "step"; it has seed, steps',
  );
  expect(() => setInput(workflow, '9', 'steps', 4n)).toThrow(EditError);
});
