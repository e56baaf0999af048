/** test/fixtures/workflow/validation.json, made by tools/reference/validation.py. */
import { readFileSync } from 'node:fs';
import { parseJson } from '../../src/python/json.js';
import { isLiteralObject, type Literal, type LiteralObject } from '../../src/workflow/literal.js';

export interface ReferenceFault {
  readonly type: string;
  readonly message: string;
  readonly details: string;
  readonly extra_info: LiteralObject;
}

export interface ValidationCase {
  readonly name: string;
  readonly prompt: LiteralObject;
  readonly valid: boolean;
  readonly error: ReferenceFault | null;
  /** Ids of the outputs that run. */
  readonly outputs: readonly string[];
  readonly node_errors: Readonly<
    Record<
      string,
      {
        readonly errors: readonly ReferenceFault[];
        readonly dependent_outputs: readonly string[];
        readonly class_type: string;
      }
    >
  >;
}

type Attempt = { readonly value: Literal } | { readonly error: string };

export interface ConversionCase {
  readonly given: Literal;
  readonly repr: string;
  readonly json: string;
  readonly int: Attempt;
  readonly float: Attempt;
  readonly str: Attempt;
  readonly bool: Attempt;
}

interface Fixture {
  readonly cases: readonly ValidationCase[];
  readonly targets: readonly (ValidationCase & { readonly targets: readonly string[] })[];
  readonly conversions: readonly ConversionCase[];
  readonly metadata: readonly { readonly prompt: LiteralObject; readonly text: string }[];
}

/** Fields of a fixture's own objects; what they hold of Python's stays as `Literal` has it. */
const VERBATIM = new Set(['prompt', 'extra_info', 'given', 'value']);

function plain(value: Literal): unknown {
  if (Array.isArray(value)) return (value as readonly Literal[]).map(plain);
  if (!isLiteralObject(value)) return value;
  return Object.fromEntries([...value].map(([key, item]) => [key, VERBATIM.has(key) ? item : plain(item)]));
}

/** Integers are bigints, floats numbers, as in `Literal`. */
export const reference = plain(
  parseJson(readFileSync(new URL('../fixtures/workflow/validation.json', import.meta.url), 'utf8'), 50),
) as Fixture;
