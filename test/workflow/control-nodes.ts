/** The node classes of tools/reference/execution.py. */
import {
  autogrow,
  boolean,
  defineControlNode,
  defineNode,
  dynamicCombo,
  ExecutionBlocker,
  expansion,
  int,
  lazy,
  link,
  match,
  matchOutput,
  rawLink,
  string,
  type AnyNodeClass,
} from '../../src/nodes/definition.js';
import type { NodeRegistry } from '../../src/nodes/index.js';

const described = { displayName: '', category: 'test', description: '', optional: {} };
const number = int({ default: 0, min: -1000, max: 1000 });
const int1 = [{ type: 'INT', name: 'INT' }] as const;
const text1 = [{ type: 'STRING', name: 'STRING' }] as const;

/** A call: the node's id and what it was given. */
export type Told = readonly [id: string, values: readonly unknown[]];

export function controlNodes(): { readonly registry: NodeRegistry; readonly log: Told[] } {
  const log: Told[] = [];
  const told = (id: string, ...values: readonly unknown[]) => {
    log.push([id, values]);
  };

  const num = defineNode({
    ...described,
    name: 'Num',
    required: { value: number },
    outputs: int1,
    run: ({ value }, { nodeId }) => {
      told(nodeId, value);
      return { outputs: [value] };
    },
  });

  const count = defineNode({
    ...described,
    name: 'Count',
    required: { count: number },
    outputs: [
      { type: 'INT', name: 'INT', isList: true },
      { type: 'STRING', name: 'STRING' },
    ],
    run: ({ count: given }, { nodeId }) => {
      told(nodeId, given);
      return { outputs: [Array.from({ length: given }, (_, index) => index), `${given} numbers`] };
    },
  });

  const add = defineNode({
    ...described,
    name: 'Add',
    required: { a: number, b: number },
    outputs: int1,
    run: async ({ a, b }, { nodeId }) => {
      told(nodeId, a, b);
      return { outputs: [await Promise.resolve(a + b)] };
    },
  });

  const collect = defineNode({
    ...described,
    name: 'Collect',
    inputIsList: true,
    required: { values: number, label: string() },
    outputs: [...text1, ...int1],
    run: ({ values, label }, { nodeId }) => {
      told(nodeId, values, label);
      return { outputs: [`${values.join(' ')} ${label.join('/')}`, values.length] };
    },
  });

  const reverse = defineNode({
    ...described,
    name: 'Reverse',
    inputIsList: true,
    required: { values: number },
    outputs: [{ type: 'INT', name: 'INT', isList: true }],
    run: ({ values }, { nodeId }) => {
      told(nodeId, values);
      return { outputs: [[...values].reverse()] };
    },
  });

  const lazyNode = defineNode({
    ...described,
    name: 'Lazy',
    required: { first: lazy(number), second: lazy(number), which: number },
    outputs: int1,
    checkLazy: ({ first, second, which }) => [
      ...((which & 1) !== 0 && first === undefined ? ['first'] : []),
      ...((which & 2) !== 0 && second === undefined ? ['second'] : []),
    ],
    run: ({ first, second, which }, { nodeId }) => {
      told(nodeId, first, second, which);
      return { outputs: [which] };
    },
  });

  const gate = defineControlNode({
    ...described,
    name: 'Gate',
    required: { value: number, limit: number },
    optional: { message: string() },
    outputs: [...int1, ...int1],
    run: ({ value, limit, message }, { nodeId }) => {
      told(nodeId, value, limit, message);
      return { outputs: [value > limit ? new ExecutionBlocker(message) : value, value] };
    },
  });

  const never = defineControlNode({
    ...described,
    name: 'Never',
    required: { value: number },
    outputs: int1,
    run: ({ value }, { nodeId }) => {
      told(nodeId, value);
      return { outputs: new ExecutionBlocker() };
    },
  });

  const repeat = defineControlNode({
    ...described,
    name: 'Repeat',
    required: { value: number, times: number },
    outputs: [...int1, ...int1],
    run: ({ value, times }, { nodeId, newGraph }) => {
      told(nodeId, value, times);
      const graph = newGraph();
      let last = graph.node('Num', { value });
      for (let time = 0; time < times; time++) last = graph.node('Add', { a: last.out(0), b: 1 });
      return expansion(graph, [last.out(0), times]);
    },
  });

  const loop = defineControlNode({
    ...described,
    name: 'Loop',
    required: { value: number, times: number },
    outputs: int1,
    run: ({ value, times }, { nodeId, newGraph }) => {
      told(nodeId, value, times);
      if (times === 0) return { outputs: [value] as const };
      const graph = newGraph();
      const more = graph.node('Add', { a: value, b: 1 });
      const again = graph.node('Loop', { value: more.out(0), times: times - 1 }, 'again').showAs('shown');
      return expansion(graph, [again.out(0)]);
    },
  });

  const spread = defineControlNode({
    ...described,
    name: 'Spread',
    required: { count: number },
    outputs: [...int1, ...int1],
    run: ({ count: given }, { nodeId, newGraph }) => {
      told(nodeId, given);
      const graph = newGraph();
      return expansion(graph, [graph.node('Count', { count: given }).out(0), 7]);
    },
  });

  const showInside = defineControlNode({
    ...described,
    name: 'ShowInside',
    required: { value: number },
    outputs: int1,
    run: ({ value }, { nodeId, newGraph }) => {
      told(nodeId, value);
      const graph = newGraph();
      const inner = graph.node('Num', { value });
      graph.node('Show', { source: inner.out(0) });
      return { ...expansion(graph, [inner.out(0)]), ui: { text: [`expands ${value}`] } };
    },
  });

  const outer = defineControlNode({
    ...described,
    name: 'Outer',
    required: { outer: number, inner: number },
    outputs: int1,
    run: ({ outer: first, inner }, { nodeId, newGraph }) => {
      told(nodeId, first, inner);
      const graph = newGraph();
      const one = graph.node('Repeat', { value: first, times: 1 }, 'one');
      const two = graph.node('Repeat', { value: inner, times: 2 }, 'two');
      return expansion(graph, [graph.node('Add', { a: one.out(0), b: two.out(0) }).out(0)]);
    },
  });

  const show = defineNode({
    ...described,
    name: 'Show',
    required: { source: link('*') },
    outputs: text1,
    outputNode: true,
    run: ({ source }, { nodeId }) => {
      told(nodeId, source);
      return { outputs: [String(source)], ui: { text: [String(source)] } };
    },
  });

  const own = defineNode({
    ...described,
    name: 'Own',
    required: { value: number },
    hidden: { id: 'UNIQUE_ID' },
    outputs: text1,
    run: ({ value, id }, { nodeId }) => {
      told(nodeId, value, id);
      return { outputs: [`${id}: ${value}`] };
    },
  });

  const look = defineNode({
    ...described,
    name: 'Look',
    required: { value: number },
    hidden: { prompt: 'PROMPT', extra: 'EXTRA_PNGINFO', graph: 'DYNPROMPT' },
    outputs: text1,
    run: ({ value, prompt, extra, graph }, { nodeId }) => {
      told(nodeId, value, Object.keys(prompt).sort(), extra, graph.parentOf('nobody'));
      const { inputs } = prompt['1'] as { readonly inputs: { readonly value: number } };
      return { outputs: [`{"value": ${inputs.value}}`] };
    },
  });

  const apart = defineNode({
    ...described,
    name: 'Apart',
    required: { value: number },
    outputs: int1,
    notIdempotent: true,
    run: ({ value }, { nodeId }) => {
      told(nodeId, value);
      return { outputs: [value] };
    },
  });

  const changing = defineNode({
    ...described,
    name: 'Changing',
    required: { value: number },
    outputs: int1,
    fingerprint: ({ value }) => {
      if (value === 0) throw new Error('never the same');
      return String((value ?? 0) % 10);
    },
    run: ({ value }, { nodeId }) => {
      told(nodeId, value);
      return { outputs: [value] };
    },
  });

  const fail = defineNode({
    ...described,
    name: 'Fail',
    required: { value: number },
    outputs: int1,
    run: ({ value }, { nodeId }) => {
      told(nodeId, value);
      throw new RangeError(`no ${value}`);
    },
  });

  const raw = defineNode({
    ...described,
    name: 'Raw',
    required: { value: lazy(rawLink('INT')) },
    outputs: text1,
    run: ({ value }, { nodeId }) => {
      told(nodeId, value);
      return { outputs: [value?.join(' ') ?? ''] };
    },
  });

  const careful = defineNode({
    ...described,
    name: 'Careful',
    required: { value: number },
    optional: { other: number },
    outputs: int1,
    validate: {
      inputs: ['value', 'other'],
      check: ({ value, other = 5 }) =>
        typeof value !== 'number' || value < Number(other) ? undefined : `${value} is too much`,
    },
    run: ({ value, other = 5 }, { nodeId }) => {
      told(nodeId, value, other);
      return { outputs: [value] };
    },
  });

  const sum = defineNode({
    ...described,
    name: 'Sum',
    required: {
      values: autogrow(number, { prefix: 'n', max: 5 }),
      named: autogrow(number, ['x', 'y'], { optional: true, min: 0 }),
    },
    outputs: int1,
    run: ({ values, named }, { nodeId }) => {
      told(nodeId, values, named);
      const all = [...Object.values(values), ...Object.values(named)];
      return { outputs: [all.reduce((total, value) => total + value, 0)] };
    },
  });

  const resize = defineNode({
    ...described,
    name: 'Resize',
    required: {
      start: number,
      mode: dynamicCombo({
        by: { required: { factor: int({ default: 2, min: 1, max: 8 }) } },
        to: { required: { width: number }, optional: { height: number } },
        deep: { required: { kind: dynamicCombo({ a: {}, b: { required: { c: number } } }) } },
        many: { required: { rows: autogrow(number, { prefix: 'row', max: 3 }) } },
      }),
    },
    outputs: text1,
    run: ({ start, mode }, { nodeId }) => {
      told(nodeId, start, mode);
      return { outputs: [JSON.stringify(mode)] };
    },
  });

  const follow = defineNode({
    ...described,
    name: 'Follow',
    required: { yes: boolean(), on_no: lazy(match('kind')), on_yes: lazy(match('kind')) },
    outputs: [matchOutput('kind', 'output')],
    checkLazy: ({ yes, on_no: onNo, on_yes: onYes }) => {
      if (yes) return onYes === undefined ? ['on_yes'] : [];
      return onNo === undefined ? ['on_no'] : [];
    },
    run: ({ yes, on_no: onNo, on_yes: onYes }, { nodeId }) => {
      told(nodeId, yes, onNo, onYes);
      return { outputs: [yes ? onYes : onNo] };
    },
  });

  const classes: readonly AnyNodeClass[] = [
    ...[num, count, add, collect, reverse, lazyNode, gate, never, repeat, loop, spread, showInside, outer],
    ...[show, own, look, apart, changing, fail, raw, careful, sum, resize, follow],
  ];
  return { registry: new Map(classes.map((node) => [node.name, node])), log };
}
