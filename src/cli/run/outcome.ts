/** How a run ended, for the shell, for a program and for a person. */
import { AddonError } from '../../native/native-files.js';
import type { EngineResult } from '../../engine/engine.js';
import type { NodeUi } from '../../nodes/definition.js';
import type { Artifact } from '../../store/artifact.js';
import { describeReport, type FaultReport } from '../../workflow/faults.js';
import { EXIT } from '../exit-codes.js';

/** Absolute paths of what a node saved. */
interface NodeFiles {
  readonly images?: readonly string[];
  readonly gifs?: readonly string[];
  readonly latents?: readonly string[];
  /** Where they are kept beside. */
  readonly artifacts?: readonly Artifact[];
}

/** What `--json` prints. */
export interface RunJson {
  readonly status: EngineResult['status'];
  readonly outputs: Readonly<Record<string, NodeFiles>>;
  readonly timings: readonly { readonly node: string; readonly class_type: string; readonly ms: number }[];
  readonly error?: { readonly type: string; readonly message: string };
  /** Why outputs that were left out can't run, by node. */
  readonly node_errors?: FaultReport['node_errors'];
}

export interface RunOutcome {
  readonly exitCode: number;
  readonly json: RunJson;
  /** Everything that was saved, in the order of the nodes. */
  readonly files: readonly string[];
  readonly summary: string;
}

/** A run that couldn't begin because of what was asked for. */
export function refused(message: string): RunOutcome {
  return {
    exitCode: EXIT.usage,
    json: { status: 'invalid', outputs: {}, timings: [], error: { type: 'usage', message } },
    files: [],
    summary: `latentd: ${message}`,
  };
}

/** What `--json` prints of a run that a signal ended in the middle of a node. */
export const STOPPED: RunJson = {
  status: 'interrupted',
  outputs: {},
  timings: [],
  error: { type: 'interrupted', message: 'stopped by a signal in the middle of a node' },
};

/** A run that ended by a fault of latentd's own. */
export function crashed(error: unknown): RunOutcome {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  // What an installation lacks is no fault of the program: where it was found says nothing.
  const shown = error instanceof AddonError ? message : (stack ?? message);
  return {
    exitCode: EXIT.failed,
    json: { status: 'error', outputs: {}, timings: [], error: { type: name, message } },
    files: [],
    summary: `latentd: ${shown}`,
  };
}

/** `signalled` is the exit code that a signal asks for, where one ended the run. */
export function outcomeOf(result: EngineResult, signalled: number | undefined): RunOutcome {
  if (result.status === 'invalid') {
    const { error, node_errors } = result.report;
    const described = { ...error, node_errors };
    return {
      exitCode: EXIT.usage,
      json: { status: 'invalid', outputs: {}, timings: [], error: described },
      files: [],
      summary: `latentd: ${describeReport(result.report)}`,
    };
  }
  const { status, timings } = result;
  const outputs = Object.fromEntries(Object.entries(result.outputs).map(([id, ui]) => [id, filesOf(ui)]));
  const files = Object.values(outputs).flatMap(({ images = [], gifs = [], latents = [] }) => [
    ...images,
    ...gifs,
    ...latents,
  ]);
  const left = result.faults && { node_errors: result.faults.node_errors };
  const json: RunJson = { status, outputs, timings, ...left };
  const seconds = `${(result.ms / 1000).toFixed(1)} s`;
  switch (status) {
    case 'success':
      // As a make that keeps going: what could be done is done, and the shell is told of the rest.
      return left === undefined
        ? { exitCode: EXIT.done, json, files, summary: `done in ${seconds}` }
        : { exitCode: EXIT.failed, json, files, summary: `done in ${seconds}, but for the outputs left out` };
    case 'interrupted': {
      const error = {
        type: 'interrupted',
        message: `cancelled at node ${result.node}`,
        node_id: result.node,
      };
      const summary = `latentd: cancelled at node ${result.node} after ${seconds}`;
      return { exitCode: signalled ?? EXIT.failed, json: { ...json, error }, files, summary };
    }
    case 'error': {
      const { node_id: id, node_type: type, exception_type, exception_message: message } = result.error;
      const error = { type: exception_type, message, ...result.error };
      const summary = `latentd: node ${id} (${type}) failed: ${message}`;
      return { exitCode: EXIT.failed, json: { ...json, error }, files, summary };
    }
  }
}

function filesOf({ images, gifs, latents }: NodeUi): NodeFiles {
  const artifacts = [images, gifs, latents].flatMap((files = []) =>
    files.flatMap(({ artifact }) => artifact ?? []),
  );
  return {
    ...(artifacts.length > 0 && { artifacts }),
    ...(gifs === undefined ? {} : { gifs: gifs.map((file) => file.path) }),
    ...(images === undefined ? {} : { images: images.map((file) => file.path) }),
    ...(latents === undefined ? {} : { latents: latents.map((file) => file.path) }),
  };
}
