/** What nodes run with in tests: real folders below a fresh temporary one. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createFolders, type FolderOptions } from '../../src/models/folders/folders.js';
import { NodeGraphBuilder } from '../../src/nodes/node-graph.js';
import type { RunContext } from '../../src/nodes/context.js';
import { noModels } from './no-models.js';

/** A temporary folder that goes with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'latentd-nodes-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** A context whose folders, where not given, lie in a temporary one. It has no models unless they are given. */
export function nodeContext(
  folders: Partial<FolderOptions> = {},
  given: Partial<RunContext> = {},
): RunContext {
  const root = temporaryFolder();
  return {
    folders: createFolders({
      models: join(root, 'models'),
      input: join(root, 'input'),
      output: join(root, 'output'),
      temp: join(root, 'temp'),
      ...folders,
    }),
    models: noModels(),
    nodeId: '1',
    metadata: {},
    noise: {},
    signal: new AbortController().signal,
    warn: () => undefined,
    progress: () => undefined,
    receivedTypes: {},
    newGraph: () => new NodeGraphBuilder('1.0.0.'),
    ...given,
  };
}
