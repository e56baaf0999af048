/** What `latentd check` finds out about a workflow file. */

export interface LackedClass {
  readonly class_type: string;
  /** Ids of the first nodes of it. */
  readonly nodes: readonly string[];
  /** `owner/name` on GitHub. */
  readonly pack?: string;
  /** Classes of that pack that latentd has. */
  readonly has?: readonly string[];
}

export interface LackedModel {
  readonly name: string;
  /** The folder of models that it belongs into, where that is known. */
  readonly kind?: string;
  readonly node: string;
  readonly input: string;
  readonly nearest: readonly string[];
  /** Where it can be had: an address, or what `latentd pull` takes. */
  readonly from?: string;
  readonly bytes?: number;
}

export interface UsedModel {
  readonly name: string;
  readonly kind: string;
  readonly bytes: number;
  readonly family?: string;
  /** Why it can't be used. */
  readonly error?: string;
}

export interface FileReport {
  readonly file: string;
  readonly can_run: boolean;
  /** Ids of the output nodes that can run. */
  readonly outputs: readonly string[];
  readonly missing_classes: readonly LackedClass[];
  readonly missing_models: readonly LackedModel[];
  readonly models: readonly UsedModel[];
  /** Whatever else keeps it from running, a line each. */
  readonly faults: readonly string[];
  /** What is there and has no effect. */
  readonly ignored: readonly string[];
  readonly memory?: {
    /** Of the files of models, read as they are used. */
    readonly model_bytes: number;
    /** While a picture of the workflow's size is drawn, where that can be told. */
    readonly working_bytes?: number;
    readonly available_bytes: number;
  };
}
