/** What `latentd check` says of a file to a person. */
import { formatBytes } from '../terminal.js';
import type { FileReport, LackedClass, LackedModel, UsedModel } from './report.js';

/** Of each kind of thing. */
const MAX_LINES = 20;

export function describeReport(report: FileReport): string {
  const { missing_classes: classes, missing_models: models, faults, ignored } = report;
  return [
    `${report.file}: ${report.can_run ? 'can run' : "can't run"}`,
    ...bounded(classes.map(describeClass)),
    ...bounded(models.map(describeMissing)),
    ...pullLine(report),
    ...bounded(faults),
    ...bounded(ignored.map((what) => `ignored: ${what}`)),
    ...bounded(report.models.map(describeUsed)),
    ...memoryLine(report),
  ].join('\n  ');
}

function bounded(lines: readonly string[]): readonly string[] {
  const more = lines.length - MAX_LINES;
  return more <= 0 ? lines : [...lines.slice(0, MAX_LINES), `and ${more} more`];
}

const MAX_NAMED = 8;

function describeClass({ class_type: name, nodes, pack, has }: LackedClass): string {
  return `missing class ${name} (node ${nodes.join(', ')}), ${describePack(pack, has)}`;
}

function describePack(pack: string | undefined, has: readonly string[] | undefined): string {
  if (pack === undefined) return 'of a pack that is not known';
  if (has === undefined) return 'of ComfyUI itself';
  if (has.length === 0) return `of github.com/${pack}; latentd has none of it`;
  const more = has.length > MAX_NAMED ? `, and ${has.length - MAX_NAMED} more of it` : '';
  return `of github.com/${pack}; latentd has ${has.slice(0, MAX_NAMED).join(', ')}${more}`;
}

function describeMissing({ name, kind, node, input, nearest, from, bytes }: LackedModel): string {
  const near = nearest.length === 0 ? '' : `; nearest: ${nearest.join(', ')}`;
  const size = bytes === undefined ? '' : ` (${formatBytes(bytes)})`;
  const source = from === undefined ? '' : `; from ${from}${size}`;
  return `missing model ${name} (${kind ?? 'models'}; node ${node}, ${input})${near}${source}`;
}

/** Well-known files can be had in one go. */
function pullLine({ file, missing_models: models }: FileReport): string[] {
  const isKnown = models.some(({ from }) => from !== undefined);
  return isKnown && file !== '-' ? [`get them: latentd pull --for ${JSON.stringify(file)}`] : [];
}

function describeUsed({ name, kind, bytes, family, error }: UsedModel): string {
  const what = error === undefined ? (family ?? '') : `can't be used: ${error}`;
  return `model ${name} (${kind}), ${formatBytes(bytes)}${what === '' ? '' : `, ${what}`}`;
}

function memoryLine({ memory }: FileReport): string[] {
  if (memory === undefined || memory.model_bytes === 0) return [];
  const working =
    memory.working_bytes === undefined
      ? ''
      : ` and about ${formatBytes(memory.working_bytes)} while it draws`;
  return [
    `memory: ${formatBytes(memory.model_bytes)} of models${working}; ${formatBytes(memory.available_bytes)} are free`,
  ];
}
