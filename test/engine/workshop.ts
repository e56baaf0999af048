/** An engine over the small node classes of `running-nodes.ts`, with folders of its own. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { engineOf, type Engine, type EngineResult } from '../../src/engine/engine.js';
import { createFolders } from '../../src/models/folders/folders.js';
import type { RunEvent, RunResult } from '../../src/workflow/events.js';
import { runningNodes } from '../workflow/running-nodes.js';
import { noModels } from '../support/no-models.js';

export interface Workshop {
  readonly engine: Engine;
  readonly folder: string;
  /** Ids of nodes that ran since they were last asked for. */
  ran(): string[];
  /** What Save and Print wrote. */
  saved(name: string): string;
  close(): Promise<void>;
}

export function openWorkshop(resultBytes = 1 << 20): Workshop {
  const folder = mkdtempSync(join(tmpdir(), 'latentd-engine-'));
  const inFolder = (name: string) => {
    const path = join(folder, name);
    mkdirSync(path);
    return path;
  };
  const folders = createFolders({
    models: inFolder('models'),
    input: inFolder('input'),
    output: inFolder('output'),
    temp: inFolder('temp'),
  });
  const { registry, ran } = runningNodes();
  const engine = engineOf({
    registry,
    folders,
    models: noModels(),
    resultBytes,
    dispose: () => Promise.resolve(),
  });
  return {
    engine,
    folder,
    ran: () => ran.splice(0),
    saved: (name) => readFileSync(join(folders.output, `${name}.txt`), 'utf8'),
    close: async () => {
      await engine.dispose();
      rmSync(folder, { recursive: true });
    },
  };
}

export const node = (class_type: string, inputs: object = {}) => ({ class_type, inputs });

/** Fails the test when the workflow was refused. */
export function ranResult(result: EngineResult): RunResult {
  if (result.status === 'invalid') throw new Error(JSON.stringify(result.report, null, 1));
  return result;
}

/** Collects events as text: their type and node. */
export function transcript(): { readonly onEvent: (event: RunEvent) => void; readonly lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    onEvent: (event) => {
      const details = 'node' in event ? ` ${event.node}` : '';
      const more =
        event.type === 'progress'
          ? ` ${event.step}/${event.total_steps}`
          : event.type === 'execution_cached'
            ? ` ${event.nodes.join()}`
            : event.type === 'executed' && event.cached
              ? ' again'
              : '';
      lines.push(`${event.type}${details}${more}`.trim());
    },
  };
}
