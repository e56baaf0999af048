/** Inputs that no workflow writes: what a node may ask the interpreter for (ComfyUI's "hidden" inputs). */

/** ComfyUI's names of them. */
export interface HiddenTypes {
  /** Id of the running node. A class that asks for it shares no results between nodes. */
  readonly UNIQUE_ID: string;
  /** The workflow, with inputs as validation converted them. */
  readonly PROMPT: Readonly<Record<string, unknown>>;
  /** `extra_pnginfo` of the job, the editor's `workflow` in it; undefined when there is none. */
  readonly EXTRA_PNGINFO: Readonly<Record<string, unknown>> | undefined;
  /** The graph as it stands now, with the nodes that others have expanded into. */
  readonly DYNPROMPT: DynamicPrompt;
}

export interface DynamicPrompt {
  /** A node's class and inputs, links as `[id, slot]`; undefined for an unknown id. */
  node(
    id: string,
  ): { readonly class_type: string; readonly inputs: Readonly<Record<string, unknown>> } | undefined;
  /** The node that expanded into this one; undefined for one of the workflow's own. */
  parentOf(id: string): string | undefined;
  /** The node of the workflow that is shown while this one is at work. */
  displayOf(id: string): string;
}

export type HiddenName = keyof HiddenTypes;

/** By the names that `run` receives them under. */
export type HiddenInputs = Readonly<Record<string, HiddenName>>;

/** Nothing for `never`: a class that asks for none. */
export type HiddenValues<Hidden extends HiddenInputs> = [Hidden] extends [never]
  ? unknown
  : { readonly [Name in keyof Hidden]: HiddenTypes[Hidden[Name]] };
