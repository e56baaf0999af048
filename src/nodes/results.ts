/** What a node returns: outputs, files for the user, a graph to run in its place, or that nobody may go on. */
import type { Artifact } from '../store/artifact.js';
import type { NodeGraph } from './node-graph.js';
import type { ValueOf, ValueTypeName } from './values.js';

export interface OutputSpec<Type extends ValueTypeName = ValueTypeName> {
  readonly type: Type;
  readonly name: string;
  /** One sentence for `object_info` and the docs. */
  readonly tooltip?: string;
  /** Other types that it may be, by the node's inputs; `object_info` names the first alone. */
  readonly also?: readonly ValueTypeName[];
  /** `run` returns a list, over whose items the nodes that it is linked to are run. ComfyUI's OUTPUT_IS_LIST. */
  readonly isList?: boolean;
  /** Of type `COMFY_MATCHTYPE_V3`: it has the type of the inputs with this template. */
  readonly template?: string;
}

type OutputValue<Output extends OutputSpec> = Output extends {
  readonly type: infer Type extends ValueTypeName;
  readonly also: readonly (infer Also extends ValueTypeName)[];
}
  ? ValueOf<Type | Also>
  : Output extends OutputSpec<infer Type>
    ? ValueOf<Type>
    : never;

export type OutputValues<Outputs extends readonly OutputSpec[]> = {
  readonly [Index in keyof Outputs]: Outputs[Index] extends { readonly isList: true }
    ? readonly OutputValue<Outputs[Index]>[]
    : OutputValue<Outputs[Index]>;
};

/** An output whose type is that of the inputs with the same template (`match`). */
export function matchOutput(template: string, name: string) {
  return { type: 'COMFY_MATCHTYPE_V3', name, template } as const;
}

/** What a node leaves beside its outputs: files for the user, as in ComfyUI's `ui` result. */
export interface SavedFile {
  readonly filename: string;
  readonly subfolder: string;
  readonly type: 'output' | 'temp' | 'input';
  /** Absolute path on this machine. */
  readonly path: string;
  /** Where it is kept beside. */
  readonly artifact?: Artifact;
}

/** A film, or an animated picture, that a node saved. */
export interface SavedFilm extends SavedFile {
  /** As the node's input names it: `video/h264-mp4`. */
  readonly format: string;
  /** Frames a second. */
  readonly frame_rate: number;
}

/** Lists by kind; of a node that ran for each item of a list, one after the other. JSON throughout. */
export interface NodeUi {
  readonly images?: readonly SavedFile[];
  /** VideoHelperSuite's name, whatever their form. */
  readonly gifs?: readonly SavedFilm[];
  readonly latents?: readonly SavedFile[];
  readonly text?: readonly string[];
  readonly [kind: string]: readonly unknown[] | undefined;
}

export interface NodeResult<Outputs extends readonly OutputSpec[]> {
  readonly outputs: OutputValues<Outputs>;
  readonly ui?: NodeUi;
}

/** Stands for an output's value: nodes that it reaches aren't run, and hand it on. ComfyUI's class of this name. */
export class ExecutionBlocker {
  /** Shown once, by the first node that it reaches; undefined blocks in silence. */
  constructor(readonly message?: string) {}
}

/** A graph to run in a node's place; its outputs are values, or links to outputs of the graph's nodes. */
export interface Expansion {
  readonly expand: NodeGraph;
  readonly outputs: readonly unknown[];
  readonly ui?: NodeUi;
}

/** Outputs some of which are blocked; `outputs` itself may be a blocker, for all of them. */
export interface BlockedResult {
  readonly outputs: ExecutionBlocker | readonly unknown[];
  readonly ui?: NodeUi;
}

/**
 * Returns a graph to run in the node's place. `outputs` are values, or links to outputs of the graph's nodes:
 * `return expansion(graph, [last.out(0)])`.
 */
export function expansion(graph: { finalize(): NodeGraph }, outputs: readonly unknown[]): Expansion {
  return { expand: graph.finalize(), outputs };
}
