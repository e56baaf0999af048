/** Writes docs/nodes.md out of the node classes: `npx vitest run test/nodes/docs.test.ts --update`. */
import { schedulerNames } from '../src/native/addon.js';
import { samplerNames } from '../src/native/samplers.js';
import type { AnyNodeClass, InputSpec, InputSpecs } from '../src/nodes/definition.js';

/** The page: classes by category, each with its inputs and outputs. */
export function nodeDocs(nodes: Iterable<AnyNodeClass>): string {
  const all = [...nodes];
  const categories = [...new Set(all.map(({ category }) => category))].sort();
  return [
    '# Nodes',
    '',
    `The ${all.length} node classes, named and declared as in ComfyUI 0.29.0. This page is made from the classes themselves`,
    '(`src/nodes/`); `npx vitest run test/nodes/docs.test.ts --update` makes it anew.',
    ...categories.flatMap((name) => [
      '',
      `## ${name}`,
      ...all.filter(({ category }) => category === name).flatMap(nodeSection),
    ]),
    '',
  ].join('\n');
}

function nodeSection(node: AnyNodeClass): string[] {
  const title = node.displayName === node.name ? node.name : `${node.name} · ${node.displayName}`;
  const outputs = node.outputs.map(({ name, type, tooltip }) => {
    const label = name === type ? `\`${name}\`` : `\`${name}\` ${type}`;
    return tooltip === undefined ? label : `${label} (${tooltip.replace(/\.$/, '')})`;
  });
  return [
    '',
    `### ${title}`,
    '',
    node.description,
    ...inputTable(node.required, node.optional),
    ...(outputs.length === 0 ? [] : ['', `Returns ${outputs.join(', ')}.`]),
  ];
}

function inputTable(required: InputSpecs, optional: InputSpecs): string[] {
  const rows = [
    ...Object.entries(required).map(([name, spec]) => inputRow(name, spec, '')),
    ...Object.entries(optional).map(([name, spec]) => inputRow(name, spec, ' (optional)')),
  ];
  return rows.length === 0 ? [] : ['', '| Input | Type | Default | |', '| --- | --- | --- | --- |', ...rows];
}

function inputRow(name: string, spec: InputSpec, mark: string): string {
  const cells = [`\`${name}\`${mark}`, typeOf(spec), defaultOf(spec), spec.tooltip ?? ''];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function typeOf(spec: InputSpec): string {
  switch (spec.kind) {
    case 'LINK':
      return spec.type;
    case 'SEED':
      return 'INT, 0 to 2⁶⁴ − 1';
    case 'INT':
    case 'FLOAT': {
      const step = spec.step === undefined || spec.step === 1 ? '' : `, step ${spec.step}`;
      const range = Number.isFinite(spec.max) ? `${spec.min} to ${spec.max}` : `from ${spec.min}`;
      return `${spec.kind}, ${range}${step}`;
    }
    case 'COMBO':
      if (typeof spec.options === 'function') return 'a file';
      if (spec.options === samplerNames) return '[a sampler](sampling.md#samplers)';
      if (spec.options === schedulerNames) return '[a scheduler](sampling.md#schedulers)';
      return spec.options.map((option) => `\`${option}\``).join(', ');
    default:
      return spec.kind;
  }
}

function defaultOf(spec: InputSpec): string {
  if (spec.kind === 'LINK') return '';
  if (spec.kind === 'COMBO') {
    if (typeof spec.options === 'function') return '';
    return `\`${spec.default ?? spec.options[0] ?? ''}\``;
  }
  const value = 'default' in spec ? spec.default : undefined;
  return value === undefined || value === '' ? '' : `\`${String(value)}\``;
}
