import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { createFolders } from '../../src/models/folders/folders.js';
import type { NodeError, RunEvent, RunResult } from '../../src/workflow/events.js';
import { execute } from '../../src/workflow/execute.js';
import { parseJson } from '../../src/python/json.js';
import { pythonJson, type Literal } from '../../src/workflow/literal.js';
import { parseWorkflow } from '../../src/workflow/parse.js';
import { ResultCache } from '../../src/workflow/result-cache.js';
import { validateWorkflow } from '../../src/workflow/validate.js';
import { controlNodes } from './control-nodes.js';
import { noModels } from '../support/no-models.js';

/** A run by ComfyUI's executor, made by tools/reference/execution.py. */
interface ReferenceRun {
  readonly valid: boolean;
  readonly faults: Readonly<Record<string, readonly (readonly [type: string, details: string])[]>>;
  readonly log: readonly (readonly [id: string, values: string])[];
  readonly executing: readonly (readonly [node: string, display: string])[];
  readonly cached: readonly string[];
  readonly success: boolean;
  readonly errors: readonly { readonly node: string; readonly class: string; readonly message: string }[];
  readonly outputs: Readonly<Record<string, { readonly text: readonly string[] }>>;
}

const fixture = readFileSync(new URL('../fixtures/workflow/execution.json', import.meta.url), 'utf8');
const reference = JSON.parse(fixture) as Readonly<Record<string, readonly ReferenceRun[]>>;
/** The same with the prompts' nodes in their order, which JavaScript's objects don't keep. */
const ordered = parseJson(fixture, 100) as ReadonlyMap<string, readonly ReadonlyMap<string, Literal>[]>;

const folders = createFolders({ models: tmpdir(), input: tmpdir(), output: tmpdir(), temp: tmpdir() });
const models = noModels();

/** An engine's part: workflows that run one after the other, with the results of earlier ones. */
function interpreter() {
  const { registry, log } = controlNodes();
  const cache = new ResultCache(1 << 20);
  return async (prompt: Literal) => {
    log.length = 0;
    const events: RunEvent[] = [];
    const body = `{"prompt": ${pythonJson(prompt)}, "extra_data": {"extra_pnginfo": {"workflow": {"nodes": []}}}}`;
    const validation = validateWorkflow(parseWorkflow(body), registry, folders);
    if (!validation.valid) return { validation, log: [...log], events, result: undefined };
    const onEvent = (event: RunEvent) => events.push(event);
    const result = await execute(validation.plan, { cache, registry, folders, models, onEvent });
    return { validation, log: [...log], events, result };
  };
}

/** Values as JSON has them, texts of JSON read, without what Python writes as null. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_, item: unknown) => {
    if (typeof item === 'string' && item.startsWith('{')) return plain(JSON.parse(item));
    return item ?? undefined;
  });
}

/** What ComfyUI calls an error: a blocker's, and the one that ended the run. */
function errorsOf(events: readonly RunEvent[]): readonly NodeError[] {
  return events.flatMap((event) =>
    event.type === 'execution_blocked' || event.type === 'execution_error' ? [event.error] : [],
  );
}

function outputsOf(result: RunResult | undefined) {
  return Object.fromEntries(Object.entries(result?.outputs ?? {}).map(([id, { text }]) => [id, text]));
}

describe("runs as ComfyUI's executor does", () => {
  it.each(Object.entries(reference))('%s', async (name, runs) => {
    const run = interpreter();
    for (const [index, expected] of runs.entries()) {
      const prompt = ordered.get(name)![index]!.get('prompt')!;
      const { validation, log, events, result } = await run(prompt);
      expect(validation.valid).toBe(expected.valid);
      const faults = Object.entries(validation.report?.node_errors ?? {}).map(([id, { errors }]) => [
        id,
        errors.map(({ type, details }) => [type, details]),
      ]);
      expect(Object.fromEntries(faults)).toEqual(expected.faults);
      expect(plain(log)).toEqual(expected.log.map(([id, values]) => [id, plain(JSON.parse(values))]));
      const executing = events.flatMap((event) =>
        event.type === 'executing' ? [[event.node, event.display_node ?? event.node]] : [],
      );
      expect(executing).toEqual(expected.executing);
      expect([...(result?.cached ?? [])].sort()).toEqual(expected.cached);
      expect(result?.status).toBe(expected.success ? 'success' : 'error');
      const errors = errorsOf(events);
      expect(errors.map(({ node_id, node_type }) => [node_id, node_type])).toEqual(
        expected.errors.map((error) => [error.node, error.class]),
      );
      expect(plain(outputsOf(result))).toEqual(
        plain(Object.fromEntries(Object.entries(expected.outputs).map(([id, { text }]) => [id, text]))),
      );
    }
  });
});
