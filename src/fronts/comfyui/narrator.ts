/** Tells a running job in ComfyUI's messages, one after the other. */
import type { JobEvent } from '../../engine-process/messages.js';
import { idsOf, isMilestone, milestoneMessage, type ComfyMessage, type NodeIds } from './messages.js';
import { handedPictures, shownUi } from './stored-prompt.js';

/** A picture of what is being sampled. */
export interface PreviewFile {
  readonly path: string;
  readonly node: { readonly node_id: string; readonly prompt_id: string } & NodeIds;
}

interface NodeProgress {
  readonly value: number;
  readonly max: number;
  readonly state: 'running' | 'finished';
  readonly displayNode: string;
}

export interface NarratorAudience {
  tell(message: ComfyMessage): void;
  show(preview: PreviewFile): void;
  /** The same of a picture that a node hands over: it goes out before what is told next. */
  hand(picture: PreviewFile): void;
}

export class Narrator {
  /** As ComfyUI calls it: what the editor shows to run. */
  currentNode: string | undefined;
  private readonly nodes = new Map<string, NodeProgress>();
  private known: readonly string[] = [];
  /** Whether its end was told by an event. */
  hasEnded = false;

  constructor(
    private readonly id: string,
    private readonly audience: NarratorAudience,
  ) {}

  hear(event: JobEvent): void {
    if (isMilestone(event)) {
      this.hearMilestone(event);
      return;
    }
    switch (event.type) {
      case 'executing': {
        const { node, display_node: displayNode = node } = event;
        this.currentNode = displayNode;
        this.progress(node, { value: 0, max: 1, state: 'running', displayNode });
        this.tell('executing', { node, display_node: displayNode, prompt_id: this.id });
        return;
      }
      case 'progress': {
        const { node, display_node: displayNode = node, step: value, total_steps: max } = event;
        this.progress(node, { value, max, state: 'running', displayNode });
        this.tell('progress', { value, max, prompt_id: this.id, node });
        return;
      }
      case 'executed': {
        const { node, display_node: displayNode = node, ui, cached } = event;
        for (const path of handedPictures(ui)) {
          this.audience.hand({
            path,
            node: { node_id: node, prompt_id: this.id, ...idsOf(node, displayNode) },
          });
        }
        const output = ui === undefined ? {} : shownUi(ui);
        if (Object.keys(output).length > 0) {
          this.tell('executed', { node, display_node: displayNode, output, prompt_id: this.id });
        }
        // Of nodes that were not asked for, as their results were known, ComfyUI says nothing.
        if (cached && Object.keys(output).length === 0) return;
        const { max } = this.nodes.get(node) ?? { max: 1 };
        this.progress(node, { value: max, max, state: 'finished', displayNode });
        return;
      }
      case 'preview': {
        const displayNode = this.nodes.get(event.node)?.displayNode ?? event.node;
        const node = { node_id: event.node, prompt_id: this.id, ...idsOf(event.node, displayNode) };
        this.audience.show({ path: event.path, node });
        return;
      }
      default:
    }
  }

  private hearMilestone(event: Extract<JobEvent, { type: `execution_${string}` }>): void {
    if (event.type === 'execution_start') this.nodes.clear();
    if (event.type === 'execution_cached') this.known = event.nodes;
    if (['execution_error', 'execution_interrupted'].includes(event.type)) this.hasEnded = true;
    const { type, data } = milestoneMessage(this.id, event, this.known);
    this.tell(type, data);
  }

  private progress(node: string, progress: NodeProgress): void {
    this.nodes.set(node, progress);
    const nodes = [...this.nodes].map(([id, { value, max, state, displayNode }]) => [
      id,
      { value, max, state, node_id: id, prompt_id: this.id, ...idsOf(id, displayNode) },
    ]);
    this.tell('progress_state', { prompt_id: this.id, nodes: Object.fromEntries(nodes) as object });
  }

  private tell(type: string, data: ComfyMessage['data']): void {
    this.audience.tell({ type, data });
  }
}
