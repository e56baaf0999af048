/** What an input becomes: a link or a value; and what checking it needs to know. */
import type { Folders } from '../models/folders/folders.js';
import type { AnyNodeClass } from '../nodes/definition.js';
import type { Fault } from './faults.js';
import type { OptionsOf } from './input-config.js';

export interface InputLink {
  readonly kind: 'link';
  /** Id of the node whose output it is. */
  readonly from: string;
  readonly slot: number;
}

/** INT and FLOAT are numbers, seeds bigints; where any type is taken, whatever is given. */
export interface InputConstant {
  readonly kind: 'constant';
  readonly value: unknown;
  /** Of an input of any type, ComfyUI's name of the type that was written. */
  readonly type?: string;
}

export type PlannedInput = InputLink | InputConstant;

/** A fault is described when it is told: of a workflow with thousands, most are only counted. */
export type CheckedInput = PlannedInput | { readonly kind: 'fault'; readonly describe: () => Fault };

/** What checking an input needs to know of everything else. */
export interface Surroundings {
  readonly folders: Folders;
  readonly optionsOf: OptionsOf;
  /** Whether the workflow has such a node. */
  hasNode(id: string): boolean;
  /** Its class, unless that is unknown (which is reported with the node itself). */
  classOf(id: string): AnyNodeClass | undefined;
}

export function failed(describe: () => Fault): CheckedInput {
  return { kind: 'fault', describe };
}
