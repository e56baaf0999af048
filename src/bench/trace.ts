/** Profiles programs while they run and merges their profiles with what the workflow did. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Backend, Program } from '../compute/backend.js';
import type { Graph } from '../compute/graph.js';
import { createOnnxBackend, type OnnxBackendOptions } from '../compute/onnx/backend.js';
import type { Recording, Span } from './recorder.js';
import { profileSchema, traceEvents, type NamedRecording, type Profile } from './trace-events.js';

interface WatchedProgram {
  readonly name: string;
  readonly load: Span;
  readonly runs: Span[];
  /** What its profile's file name begins with. */
  readonly prefix: string;
}

export class TraceWriter {
  private readonly recordings: NamedRecording[] = [];
  private readonly programs: WatchedProgram[] = [];
  private readonly folder: string;
  readonly backend: Backend;

  /** Writes the trace to `file`; profiles lie below `folder` until then. */
  constructor(
    private readonly file: string,
    folder: string,
    options: OnnxBackendOptions,
  ) {
    this.folder = mkdtempSync(join(folder, 'profile-'));
    this.backend = { device: 'cpu', load: (graph) => this.load(graph, options) };
  }

  add(name: string, recording: Recording): void {
    this.recordings.push({ name, recording });
  }

  /** To be called once the programs are disposed of, for only then are their profiles complete. */
  write(): void {
    try {
      const names = readdirSync(this.folder);
      const programs = this.programs.map(({ prefix, ...program }) => {
        const found = names.find((name) => name.startsWith(prefix));
        return { ...program, profile: found === undefined ? [] : this.read(found) };
      });
      const trace = { displayTimeUnit: 'ms', traceEvents: traceEvents(this.recordings, programs) };
      writeFileSync(this.file, JSON.stringify(trace));
    } finally {
      rmSync(this.folder, { recursive: true });
    }
  }

  private read(name: string): Profile {
    return profileSchema.parse(JSON.parse(readFileSync(join(this.folder, name), 'utf8')));
  }

  /** Each program has a profile of its own, in a file whose name ONNX Runtime goes on with the time. */
  private async load(graph: Graph, options: OnnxBackendOptions): Promise<Program> {
    const prefix = `${this.programs.length}-`;
    const started = performance.now();
    const profiling = createOnnxBackend({ ...options, profile: join(this.folder, prefix) });
    const program = await profiling.load(graph);
    const runs: Span[] = [];
    this.programs.push({ name: graph.name, load: { started, ended: performance.now() }, runs, prefix });
    return {
      residentBytes: program.residentBytes,
      dispose: () => program.dispose(),
      async run(inputs) {
        const started = performance.now();
        const outputs = await program.run(inputs);
        runs.push({ started, ended: performance.now() });
        return outputs;
      },
    };
  }
}
