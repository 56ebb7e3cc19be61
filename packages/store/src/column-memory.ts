/** Memory of columns: of this thread, which can be moved to another. */
export function ownMemory(bytes: number): ArrayBufferLike {
  return new ArrayBuffer(bytes)
}

/**
 * Of many rows. V8 counts memory that threads pass to each other as new in each, and collects all garbage after 64 MB of it, on all
 * cores: every slice twice. What they share it does not count.
 */
export function sharedMemory(bytes: number): ArrayBufferLike {
  return new SharedArrayBuffer(bytes)
}

/** A view over all of its memory, a copy if it is not. */
export function whole<T extends Uint8Array | Uint32Array | Float64Array>(view: T): T {
  return view.byteLength === view.buffer.byteLength ? view : (view.slice() as T)
}

/** All of the memory that a view is a part of. */
export function words({ buffer }: Uint32Array): Uint32Array {
  return new Uint32Array(buffer)
}

/** All of the memory that a view is a part of. */
export function doubles({ buffer }: Float64Array): Float64Array {
  return new Float64Array(buffer)
}

export function grown<T extends Uint8Array | Uint32Array | Float64Array>(from: T, to: T): T {
  to.set(from)
  return to
}
