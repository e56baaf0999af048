/** What happens next: events in the order of their times, equals as they came. */
export class EventHeap<Event> {
  private readonly times: number[] = [];
  private readonly orders: number[] = [];
  private readonly events: Event[] = [];
  private count = 0;

  get size(): number {
    return this.events.length;
  }

  push(time: number, event: Event): void {
    let at = this.events.length;
    const order = this.count++;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (this.times[above]! <= time) break;
      this.put(at, above);
      at = above;
    }
    this.times[at] = time;
    this.orders[at] = order;
    this.events[at] = event;
  }

  /** Undefined when nothing will happen any more. */
  pop(): { readonly time: number; readonly event: Event } | undefined {
    if (this.events.length === 0) return undefined;
    const first = { time: this.times[0]!, event: this.events[0]! };
    const [time, order, event] = [this.times.pop()!, this.orders.pop()!, this.events.pop()!];
    const size = this.events.length;
    if (size === 0) return first;
    let at = 0;
    for (let below = 1; below < size; below = 2 * at + 1) {
      if (below + 1 < size && this.isBefore(below + 1, this.times[below]!, this.orders[below]!)) below++;
      if (!this.isBefore(below, time, order)) break;
      this.put(at, below);
      at = below;
    }
    this.times[at] = time;
    this.orders[at] = order;
    this.events[at] = event;
    return first;
  }

  private isBefore(at: number, time: number, order: number): boolean {
    return this.times[at]! < time || (this.times[at] === time && this.orders[at]! < order);
  }

  private put(to: number, from: number): void {
    this.times[to] = this.times[from]!;
    this.orders[to] = this.orders[from]!;
    this.events[to] = this.events[from]!;
  }
}
