import type { Program } from '../compute/backend.js';
import type { Graph } from '../compute/graph.js';

/** Loaded programs by least recent use, within a memory limit. */
export interface ProgramCache {
  /**
   * Runs `body` with the program for `key`. The graph is built and loaded when it isn't there, after others were evicted to
   * make room; a program in use is never evicted.
   */
  use<Result>(key: string, build: () => Graph, body: (program: Program) => Promise<Result>): Promise<Result>;
}
