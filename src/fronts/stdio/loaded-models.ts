/** Models that the engine has used, and those that there are. */
import { stat } from 'node:fs/promises';
import type { FrontOptions } from '../front.js';
import { warmUpWorkflow } from '../warm-up.js';
import type { Asked } from './envelope.js';
import { StdioFault } from './fault.js';
import { modelName } from './model-names.js';
import type { Hear, OpenRequests } from './open-requests.js';

export class LoadedModels {
  /** Since the engine was last emptied. */
  private readonly loaded = new Set<string>();

  constructor(
    private readonly house: Pick<FrontOptions, 'jobs' | 'premises'>,
    private readonly requests: OpenRequests,
  ) {}

  /** A picture was drawn with these. */
  used(models: Iterable<string | undefined>): void {
    for (const model of models) if (model !== undefined) this.loaded.add(model);
  }

  get names(): readonly string[] {
    return [...this.loaded];
  }

  /** Draws the smallest picture there is, after which all parts of the model are in memory. */
  async load({ parameters, id }: Asked, hear: Hear): Promise<object> {
    const { folders } = this.house.premises();
    const model = this.named(parameters);
    if (model === undefined)
      throw new StdioFault('invalid_request', 'model_id: a text is needed', 'model_id');
    const { seconds } = await this.requests.run(warmUpWorkflow(model), id, hear);
    this.loaded.add(model);
    const { size } = await stat(folders.resolve('checkpoints', model));
    return { model_id: model, load_time_seconds: seconds, model_size_bytes: size };
  }

  /** Lets go of the model that is named, of all where none is; after what runs. */
  unload({ parameters }: Asked): object {
    const model = this.named(parameters);
    if (model === undefined) return this.unloadAll();
    this.house.jobs.freeEngines(this.house.premises().folders.resolve('checkpoints', model));
    return { unloaded: this.loaded.delete(model) ? [model] : [] };
  }

  unloadAll(): object {
    const unloaded = this.names;
    this.loaded.clear();
    this.house.jobs.freeEngines();
    return { unloaded };
  }

  /** Every model by its kind, and those that were used. */
  listed(): object {
    const { folders } = this.house.premises();
    const list = (kind: Parameters<typeof folders.list>[0]) => folders.list(kind);
    return {
      models: list('checkpoints'),
      loras: list('loras'),
      vae: list('vae'),
      control_nets: list('controlnet'),
      upscalers: list('upscale_models'),
      loaded: this.names,
    };
  }

  /** The checkpoint that a request names, if it names any. Throws `StdioFault` where there is no such one. */
  private named(parameters: Asked['parameters']): string | undefined {
    const wanted = [parameters['model_id'], parameters['model_path'], parameters['name']].find(
      (each): each is string => typeof each === 'string' && each !== '',
    );
    const { folders } = this.house.premises();
    return wanted === undefined ? undefined : modelName(folders, 'checkpoints', wanted, 'model_id');
  }
}
