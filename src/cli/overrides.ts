/** `--set NODE.INPUT=VALUE` and `--seed N`. */
import { randomBytes } from 'node:crypto';
import { EditError, findNode, mapInputs, setInput } from '../templates/edit-workflow.js';
import type { Literal } from '../workflow/literal.js';
import type { Workflow } from '../workflow/parse.js';
import { UsageError } from './exit-codes.js';

const SEED_INPUTS = new Set(['seed', 'noise_seed']);
const SEEDS = 2n ** 64n;

/** Applies one `NODE.INPUT=VALUE`, NODE being an id or a title. Throws `UsageError` quoting it. */
export function applySet(workflow: Workflow, assignment: string): Workflow {
  const match = /^(.+?)\.([^.=]+)=(.*)$/s.exec(assignment);
  if (match === null) {
    throw new UsageError(`--set ${assignment}: expected NODE.INPUT=VALUE, as in --set 5.steps=30`);
  }
  const [, name = '', input = '', text = ''] = match;
  try {
    const id = findNode(workflow, name);
    return setInput(workflow, id, input, readValue(text, workflow.nodes.get(id)?.inputs.get(input)));
  } catch (error) {
    if (error instanceof EditError) throw new UsageError(`--set ${assignment}: ${error.message}`);
    throw error;
  }
}

/** A text replaces a text as it is; anything else is read as the JSON value it looks like. */
function readValue(text: string, before: Literal | undefined): Literal {
  if (typeof before === 'string') return text;
  if (/^-?\d+$/.test(text)) return BigInt(text);
  try {
    return JSON.parse(text, (_, value: unknown) =>
      typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value,
    ) as Literal;
  } catch {
    return text;
  }
}

/** A seed from `--seed`: a number from 0 to 2⁶⁴ − 1, or `random`. */
export function parseSeed(text: string): bigint {
  if (text === 'random') return randomBytes(8).readBigUInt64LE();
  const seed = /^\d{1,20}$/.test(text) ? BigInt(text) : SEEDS;
  if (seed < SEEDS) return seed;
  throw new UsageError(
    `--seed must be "random" or a whole number from 0 to ${SEEDS - 1n}, not ${JSON.stringify(text)}`,
  );
}

/** Sets every seed that the workflow writes out; seeds that come by a link stay. Throws `UsageError` when it has none. */
export function applySeed(workflow: Workflow, seed: bigint): Workflow {
  let seeds = 0;
  const seeded = mapInputs(workflow, (value, input) => {
    if (!SEED_INPUTS.has(input) || typeof value === 'object') return value;
    seeds++;
    return seed;
  });
  if (seeds === 0) throw new UsageError('--seed: no node of this workflow has a seed');
  return seeded;
}
