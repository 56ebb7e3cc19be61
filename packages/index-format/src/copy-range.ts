/**
 * bytes[from … to) as an array of its own. `slice` will not do: a Buffer, which callers may pass, inherits from Uint8Array
 * and returns a view that shares its memory.
 */
export function copyRange(bytes: Uint8Array, from = 0, to = bytes.length): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes.subarray(from, to))
}
