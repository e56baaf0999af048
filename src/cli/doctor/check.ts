/** One thing that the doctor looked at. */
export interface Check {
  readonly name: string;
  /** A fault stops latentd from working at all; a warning is worth knowing. */
  readonly status: 'ok' | 'warning' | 'fault';
  readonly detail: string;
  /** What to do about it. */
  readonly remedy?: string;
}

export function ok(name: string, detail: string): Check {
  return { name, status: 'ok', detail };
}

export function warning(name: string, detail: string, remedy: string): Check {
  return { name, status: 'warning', detail, remedy };
}

export function fault(name: string, detail: string, remedy: string): Check {
  return { name, status: 'fault', detail, remedy };
}
