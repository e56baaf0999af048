/** A client's WebSocket: what rooms use of `ws`, which comes without types. */
export interface ClientSocket {
  /** Bytes that wait for the client to take them. */
  readonly bufferedAmount: number;
  readonly readyState: number;
  readonly OPEN: number;
  on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): void;
  on(event: 'pong' | 'close', listener: () => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
  send(data: string | Buffer): void;
  ping(): void;
  close(code: number, reason: string): void;
  /** At once, without a word. */
  terminate(): void;
}
