// What `wasm-bindgen` makes of sdk/src/js.rs, as far as it is used here.

declare module 'multichat-glue' {
  /** See sdk/src/js.rs. */
  export class Core {
    constructor(
      url: string,
      name: string,
      room: string | undefined,
      key: (() => Promise<string>) | undefined,
      sink: (batch: string) => void,
      numbers: Uint32Array,
    )
    message(ticket: number, content: string, extras: object | undefined): void
    edit(ticket: number, target: number, content: string): void
    delete(ticket: number, target: number): void
    report(
      ticket: number,
      target: number,
      delivered: boolean,
      reason: string | undefined,
      remoteId: string | undefined,
    ): void
    status(ticket: number, status: number, text: string | undefined): void
    wait(ticket: number, isFlush: boolean): void
    forget(ticket: number): void
    drain(ticket: number, limit: number): void
    close(ticket: number): void
    reconnectNow(): void
    free(): void
  }

  export function __wbg_set_wasm(exports: Record<string, unknown>): void
}

declare module 'multichat-imports' {
  /** What the wasm calls. */
  const imports: Record<string, () => unknown>
  export default imports
  /** To be called first. */
  export function begin(exports: WebAssembly.Exports): void
}

/** The module as scripts/encode.mjs has it. */
declare const MULTICHAT_WASM: string
