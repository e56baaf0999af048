/** The machine that was measured, so that figures can be read later and elsewhere. */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { z } from 'zod';

export const machineSchema = z.object({
  processor: z.string(),
  /** Hardware threads that this process may use. */
  threads: z.number(),
  /** What of the vector extensions that matter here it has. */
  extensions: z.array(z.string()),
  /** Bytes. */
  memory: z.number(),
  system: z.string(),
  node: z.string(),
  /** Processes that wanted to run in the minute before, on average: above `threads` the machine was busy with other things. */
  load: z.number(),
});
export type Machine = Readonly<z.infer<typeof machineSchema>>;

const EXTENSIONS = [
  'avx2',
  'fma',
  'avx512f',
  'avx512_bf16',
  'avx512_vnni',
  'amx_bf16',
  'asimd',
  'sve',
  'bf16',
];

export function describeMachine(): Machine {
  const information = readProcessorFile();
  const flags = new Set(/^(?:flags|Features)\s*:\s*(.*)$/m.exec(information)?.[1]?.split(/\s+/));
  return {
    processor: cpus()[0]?.model.trim() ?? process.arch,
    threads: availableParallelism(),
    extensions: EXTENSIONS.filter((name) => flags.has(name)),
    memory: totalmem(),
    system: `${process.platform} ${process.arch} ${release()}`,
    node: process.versions.node,
    load: loadavg()[0]!,
  };
}

function readProcessorFile(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return '';
  }
}
