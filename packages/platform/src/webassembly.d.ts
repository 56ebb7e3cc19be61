/** What the tests use of WebAssembly, which the compiler's library declares for browsers only. */
declare namespace WebAssembly {
  class Memory {
    constructor(descriptor: { initial: number; maximum: number; shared?: boolean })
    readonly buffer: ArrayBuffer
  }
  class RuntimeError extends Error {}
  interface Instance {
    readonly exports: Record<string, unknown>
  }
  function instantiate(
    bytes: Uint8Array,
    imports: Record<string, Record<string, unknown>>,
  ): Promise<{ instance: Instance }>
}
