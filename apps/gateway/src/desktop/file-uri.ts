/** Bytes that stand for themselves in the path of a URI (RFC 3986, unreserved characters and the slash). */
const PLAIN = new Set(Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/'))

/** The `file:` URI of an absolute path: ASCII whatever the bytes are, so that no program takes it for a flag or a quote. */
export function fileUri(path: Uint8Array): string {
  let uri = 'file://'
  for (const byte of path) {
    uri += PLAIN.has(byte) ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, '0').toUpperCase()}`
  }
  return uri
}

/** The directory of an absolute path. */
export function parentOf(path: Uint8Array): Uint8Array {
  const slash = path.lastIndexOf(0x2f)
  return path.subarray(0, Math.max(1, slash))
}
