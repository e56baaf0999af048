/** Cases of tools/reference/node_case_file.py, run through the workflow interpreter: a workflow of the one node. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFolders } from '../../src/models/folders/folders.js';
import { openSafetensors } from '../../src/models/files/safetensors.js';
import { defineNode, link, type AnyNodeClass } from '../../src/nodes/definition.js';
import { heldAudio } from '../../src/nodes/audio/sound.js';
import { nodeClasses } from '../../src/nodes/index.js';
import type { AudioSource, ValueTypeName } from '../../src/nodes/values.js';
import { parseJson } from '../../src/python/json.js';
import { isDictionary, pythonJson, type PythonValue } from '../../src/python/value.js';
import type { RunEvent } from '../../src/workflow/events.js';
import { execute } from '../../src/workflow/execute.js';
import { parseWorkflow } from '../../src/workflow/parse.js';
import { ResultCache } from '../../src/workflow/result-cache.js';
import { validateWorkflow } from '../../src/workflow/validate.js';
import { fixture, goldenTensors, type GoldenTensors } from './golden.js';
import { noModels } from './no-models.js';
import { temporaryFolder } from './node-context.js';
import { readValue, type Written } from './reference-values.js';

export interface NodeRun {
  /** Each output's values: of one that is no list, one. */
  readonly outputs: readonly (readonly unknown[])[];
  readonly error: string | undefined;
  readonly ui: Readonly<Record<string, readonly unknown[] | undefined>>;
  readonly output: string;
}

export interface Case {
  readonly node: string;
  readonly inputs: ReadonlyMap<string, PythonValue>;
  /** Undefined where the reference refuses the inputs. */
  readonly outputs: readonly unknown[] | undefined;
  /** The texts of the files that it saves, by their paths in the output folder. */
  readonly files: Readonly<Record<string, string>> | undefined;
}

export interface CaseFile {
  readonly cases: readonly Case[];
  readonly tensor: GoldenTensors;
}

/** Opens a fixture, `nodes/cases/text.safetensors` for one. */
export function openCases(file: string): CaseFile {
  const opened = openSafetensors(fixture(file));
  const text = opened.metadata['cases'];
  opened.file.close();
  if (text === undefined) throw new Error(`${file} has no cases in its metadata`);
  const tensor = goldenTensors(file);
  const cases = (parseJson(text, 50) as readonly ReadonlyMap<string, PythonValue>[]).map((each): Case => {
    const outputs = each.get('outputs') as readonly PythonValue[] | undefined;
    return {
      node: each.get('node') as string,
      inputs: each.get('inputs') as ReadonlyMap<string, PythonValue>,
      outputs: outputs?.map((value) => heardNow(readCaseValue(value, tensor))),
      files: plainObject(each.get('files') ?? null) as Readonly<Record<string, string>> | undefined,
    };
  });
  return { cases, tensor };
}

/** A value as nodes have it. */
function readCaseValue(written: PythonValue, tensor: GoldenTensors): unknown {
  if (Array.isArray(written))
    return (written as readonly PythonValue[]).map((item) => readCaseValue(item, tensor));
  if (!isDictionary(written)) return typeof written === 'bigint' ? numberOf(written) : written;
  if (written.get('typed') === 'AUDIO' && written.get('value') === null) return heldAudio(undefined);
  if (written.has('typed')) return readCaseValue(written.get('value')!, tensor);
  const list = written.get('list');
  if (list !== undefined) return readCaseValue(list, tensor);
  const audio = written.get('audio');
  if (isDictionary(audio)) {
    const waveform = tensor(audio.get('waveform') as string);
    return heldAudio({ waveform, sampleRate: Number(audio.get('sample_rate')) });
  }
  if (written.has('tensor') || written.has('latent') || written.has('conditioning')) {
    return readValue(plainObject(written) as Written, tensor);
  }
  return Object.fromEntries([...written].map(([key, item]) => [key, readCaseValue(item, tensor)]));
}

/** Sound as it is compared: null where there is none. */
async function heard(value: unknown): Promise<unknown> {
  if (typeof value !== 'function') return value;
  return (await (value as AudioSource)(new AbortController().signal)) ?? null;
}

/** The same of what was written, whose sounds are there already. */
function heardNow(value: unknown): unknown {
  if (typeof value !== 'function') return value;
  return (value as unknown as { readonly audio: unknown }).audio ?? null;
}

function plainObject(written: PythonValue): unknown {
  if (typeof written === 'bigint') return Number(written);
  if (Array.isArray(written)) return (written as readonly PythonValue[]).map(plainObject);
  if (!isDictionary(written)) return written;
  return Object.fromEntries([...written].map(([key, item]) => [key, plainObject(item)]));
}

function numberOf(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/** Runs a case's node. */
export async function runCase({ node, inputs }: Case, tensor: GoldenTensors): Promise<NodeRun> {
  const nodeClass = nodeClasses.get(node);
  if (nodeClass === undefined) throw new Error(`no node class ${node}`);
  const classes: AnyNodeClass[] = [nodeClass];
  const prompt = new Map<string, PythonValue>();
  const given = [...inputs].map(([name, value], index): [string, PythonValue] => {
    const brought = isDictionary(value);
    if (!brought) return [name, value];
    const read = readCaseValue(value, tensor);
    const own = { ...nodeClass.required, ...nodeClass.optional }[name];
    const declared = own?.kind === 'LINK' ? own.type : '*';
    const type = (value.get('typed') as ValueTypeName | undefined) ?? declared;
    const isList = value.has('list');
    const source = defineNode({
      name: `Given${index}`,
      displayName: '',
      category: '',
      description: '',
      required: {},
      optional: {},
      outputs: [{ type, name: 'value', isList }],
      run: () => ({ outputs: [read] as never }),
    });
    classes.push(source);
    prompt.set(
      `given${index}`,
      new Map<string, PythonValue>([
        ['class_type', source.name],
        ['inputs', new Map()],
      ]),
    );
    return [name, [`given${index}`, 0n]];
  });
  prompt.set(
    'node',
    new Map<string, PythonValue>([
      ['class_type', node],
      ['inputs', new Map(given)],
    ]),
  );
  let outputs: readonly (readonly unknown[])[] = [];
  if (nodeClass.outputs.length > 0) {
    const names = nodeClass.outputs.map((_, slot) => `output${slot}`);
    const sink = defineNode({
      name: 'Received',
      displayName: '',
      category: '',
      description: '',
      inputIsList: true,
      required: Object.fromEntries(names.map((name) => [name, link('*')])),
      optional: {},
      outputs: [],
      outputNode: true,
      async run(received) {
        const lists = received as Readonly<Record<string, readonly unknown[]>>;
        outputs = await Promise.all(names.map((name) => Promise.all(lists[name]!.map(heard))));
        return { outputs: [] };
      },
    });
    classes.push(sink);
    const links = names.map((name, slot): [string, PythonValue] => [name, ['node', BigInt(slot)]]);
    prompt.set(
      'received',
      new Map<string, PythonValue>([
        ['class_type', sink.name],
        ['inputs', new Map(links)],
      ]),
    );
  }
  // Others write no files.
  const root = nodeClass.outputNode === true ? temporaryFolder() : join(tmpdir(), 'latentd-no-files');
  const folders = createFolders({
    models: `${root}/models`,
    input: `${root}/input`,
    output: `${root}/output`,
    temp: `${root}/temp`,
  });
  const registry = new Map(classes.map((each) => [each.name, each]));
  const validation = validateWorkflow(parseWorkflow(pythonJson(prompt)), registry, folders);
  if (!validation.valid) {
    return { outputs, error: JSON.stringify(validation), ui: {}, output: `${root}/output` };
  }
  const events: RunEvent[] = [];
  const onEvent = (event: RunEvent) => events.push(event);
  const result = await execute(validation.plan, {
    cache: new ResultCache(1 << 20),
    registry,
    folders,
    models: noModels(),
    onEvent,
  });
  return {
    outputs,
    error: result.status === 'success' ? undefined : JSON.stringify(result),
    ui: result.status === 'success' ? (result.outputs['node'] ?? {}) : {},
    output: `${root}/output`,
  };
}
