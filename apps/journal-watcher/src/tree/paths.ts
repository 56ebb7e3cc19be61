import { closeSync, constants, openSync } from 'node:fs'

/** Paths as bytes. Relative ones have no `/` at the ends; the root itself is empty. */

const SLASH = 0x2f

/** A path from that of a directory (empty: the root) and a name; a copy. */
export function joinPath(directory: Uint8Array, name: Uint8Array): Uint8Array {
  if (directory.length === 0) return name.slice()
  const path = new Uint8Array(directory.length + 1 + name.length)
  path.set(directory)
  path[directory.length] = SLASH
  path.set(name, directory.length + 1)
  return path
}

/** The absolute path of what lies at a relative one. */
export function absolutePath(root: Uint8Array, path: Uint8Array): Uint8Array {
  if (path.length === 0) return root
  if (root.length > 1) return joinPath(root, path)
  const absolute = new Uint8Array(path.length + 1)
  absolute[0] = SLASH
  absolute.set(path, 1)
  return absolute
}

/** An absolute path relative to the root, or null if it is neither the root nor below it. */
export function relativePath(root: Uint8Array, path: Uint8Array): Uint8Array | null {
  if (root.length === 1) return path[0] === SLASH ? path.subarray(1) : null
  if (path.length < root.length) return null
  for (let i = 0; i < root.length; i++) if (path[i] !== root[i]) return null
  if (path.length === root.length) return path.subarray(path.length)
  return path[root.length] === SLASH ? path.subarray(root.length + 1) : null
}

/** Whether a path is that of a directory or of something below it, both relative. */
export function isWithin(path: Uint8Array, directory: Uint8Array): boolean {
  if (directory.length === 0) return true
  if (path.length < directory.length) return false
  for (let i = 0; i < directory.length; i++) if (path[i] !== directory[i]) return false
  return path.length === directory.length || path[directory.length] === SLASH
}

export function parentOf(path: Uint8Array): Uint8Array {
  return path.subarray(0, Math.max(0, path.lastIndexOf(SLASH)))
}

export function nameOf(path: Uint8Array): Uint8Array {
  return path.subarray(path.lastIndexOf(SLASH) + 1)
}

/** One character for each byte: for maps. */
export function keyOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

/** The bytes that `keyOf` took. */
export function bytesOfKey(key: string): Uint8Array {
  return new Uint8Array(Buffer.from(key, 'latin1'))
}

export function samePath(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** The kernel takes paths of 4,095 bytes; the way through a descriptor (`/proc/self/fd/123/`) needs some of them. */
const MAX_PATH_BYTES = 4_000
const O_PATH = 0o10000000

/**
 * Calls `use` with a path that leads to the same place and is short enough for the kernel. Throws the error of node:fs
 * if a directory on the way is not there.
 */
export function withShortPath<T>(path: Uint8Array, use: (path: Uint8Array) => T): T {
  if (path.length <= MAX_PATH_BYTES) return use(path)
  const cut = path.lastIndexOf(SLASH, MAX_PATH_BYTES)
  // Without a `/` in so many bytes the name itself is too long, and the kernel says so.
  if (cut <= 0) return use(path)
  const fd = openSync(Buffer.from(path.subarray(0, cut)), O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    const rest = path.subarray(cut)
    const start = Buffer.from(`/proc/self/fd/${fd}`)
    return withShortPath(new Uint8Array(Buffer.concat([start, rest])), use)
  } finally {
    closeSync(fd)
  }
}
