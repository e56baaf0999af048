/** How far running jobs are, and what they have saved so far: node by node, and step by step within the one that runs. */
import type { JobEvent, NodeOutput } from '../../../engine-process/messages.js';

/** Comfy API v2's `Progress`: complete by itself. */
export interface Progress {
  readonly value: number;
  readonly nodes_done: number;
  readonly nodes_total: number;
  readonly current_node: string | null;
  readonly current_node_class: string | null;
  readonly step: number | null;
  readonly steps: number | null;
  readonly message: string | null;
}

export class RunningProgress {
  readonly outputs: NodeOutput[] = [];
  /** The newest picture of what is sampled. */
  preview: { readonly node: string; readonly path: string } | undefined;
  private total = 0;
  private readonly done = new Set<string>();
  private current: { readonly node: string; readonly type: string } | undefined;
  private step: { readonly at: number; readonly of: number } | undefined;

  hear(event: JobEvent): void {
    switch (event.type) {
      case 'workflow_start':
        this.total = event.nodes.length;
        this.done.clear();
        this.current = undefined;
        this.step = undefined;
        return;
      case 'execution_cached':
        for (const node of event.nodes) this.done.add(node);
        return;
      case 'executing':
        this.current = { node: event.display_node ?? event.node, type: event.class_type };
        this.step = undefined;
        return;
      case 'progress':
        this.step = { at: event.step, of: event.total_steps };
        return;
      case 'executed': {
        const { node, ui, workflow } = event;
        this.done.add(node);
        this.step = undefined;
        if (ui !== undefined) this.outputs.push({ workflow, node, ui });
        return;
      }
      case 'preview':
        this.preview = { node: event.node, path: event.path };
        return;
      default:
    }
  }

  get snapshot(): Progress {
    const { current, step } = this;
    // Nodes that others expand into come on top of those that were announced.
    const total = Math.max(this.total, this.done.size);
    const share = step === undefined || step.of === 0 ? 0 : step.at / step.of;
    const value = total === 0 ? 0 : Math.min(1, (this.done.size + share) / total);
    const at = step === undefined ? '' : ` ${step.at}/${step.of}`;
    return {
      value,
      nodes_done: this.done.size,
      nodes_total: total,
      current_node: current?.node ?? null,
      current_node_class: current?.type ?? null,
      step: step?.at ?? null,
      steps: step?.of ?? null,
      message: current === undefined ? null : `${current.type}${at}`,
    };
  }
}
