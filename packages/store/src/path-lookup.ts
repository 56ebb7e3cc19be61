import { NO_DIRECTORY } from '@hotpath/model'
import { isSameName, nameKey } from './entry-row.js'
import type { Live } from './live-entries.js'
import type { View } from './view.js'

const SLASH = 0x2f
const BACKSLASH = 0x5c

/**
 * The live entry of a path as answers write it (`\` between the components of `C:\…` and `\\server\…`, else `/`).
 * Cost: a few lookups a component.
 */
export function entryAtPath(view: View, path: Uint8Array): Live | undefined {
  const components = componentsOfPath(path)
  const root = rootOf(view)
  if (root === undefined) return undefined
  const { prefix, virtualRoot } = view.options
  const before = prefix.length === 0 ? [] : componentsOf(prefix.subarray(0, prefix.length - 1), SLASH)
  if (before.length > components.length || !before.every((name, i) => isSameName(name, components[i]))) return undefined
  let at = before.length
  if (!virtualRoot) {
    const place = view.placeOf(root)
    if (place === undefined || at >= components.length || !isSameName(place.name, components[at])) return undefined
    at++
    if (at === components.length) return view.liveDirectory(root)
  }
  let directory = root
  for (; at < components.length - 1; at++) {
    directory = directoryIn(view, directory, components[at])
    if (directory === NO_DIRECTORY) return undefined
  }
  return view.findEntry(directory, components[at])
}

/** Path of a live entry, as answers write it, or undefined if it hangs on nothing. */
export function pathOfEntry(view: View, live: Live): Uint8Array | undefined {
  const name = view.nameOf(live)
  const holder = view.holderOf(live)
  if (holder === NO_DIRECTORY) return Buffer.concat([view.options.prefix, name])
  const above = pathOfDirectory(view, holder)
  return above && Buffer.concat([above, Buffer.from('/'), name])
}

/** Path below the view's prefix, the root's name included, or undefined if the directory does not exist. */
export function pathOfDirectory(view: View, dirId: number): Uint8Array | undefined {
  const parts: Uint8Array[] = []
  for (let id = dirId; id !== NO_DIRECTORY; ) {
    const place = view.placeOf(id)
    if (!place) return undefined
    if (place.parentId !== NO_DIRECTORY || !view.options.virtualRoot) parts.push(place.name)
    id = place.parentId
  }
  parts.push(view.options.prefix)
  const slash = Buffer.from('/')
  return Buffer.concat(
    parts.reverse().flatMap((part, i) => (i === 0 || i === parts.length - 1 ? [part] : [part, slash])),
  )
}

/** Every segment begins with the root, if only as a stub. */
function rootOf(view: View): number | undefined {
  if (view.segments.length > 0) return view.segments[0].dirIdOf(0) || undefined
  for (const row of view.delta.childrenOf(NO_DIRECTORY)) return row.directory
  return undefined
}

/** Id of a directory in another one; one that a list only implies has no entry but a stub. */
function directoryIn(view: View, parent: number, name: Uint8Array): number {
  const key = nameKey(name)
  const live = view.findEntry(parent, name, key)
  if (live) return view.directoryIdOf(live)
  if (!view.impliedDirectories) return NO_DIRECTORY
  for (const segment of view.segments) {
    const local = segment.findDir(parent)
    const entry = local < 0 ? -1 : segment.findChild(local, name)
    if (entry >= 0 && entry < segment.dirCount && !segment.isDead(entry)) return segment.dirIdOf(entry)
  }
  return NO_DIRECTORY
}

function componentsOfPath(path: Uint8Array): Uint8Array[] {
  const isServer = path[0] === BACKSLASH && path[1] === BACKSLASH
  const isDrive = path[1] === 0x3a && (path[0] | 0x20) >= 0x61 && (path[0] | 0x20) <= 0x7a
  if (path.length === 1 && path[0] === SLASH) return [new Uint8Array(0)]
  if (!isServer && !(isDrive && (path.length === 2 || path[2] === BACKSLASH))) return componentsOf(path, SLASH)
  const components = componentsOf(isServer ? path.subarray(2) : path, BACKSLASH)
  return isServer ? [Buffer.concat([path.subarray(0, 2), components[0]]), ...components.slice(1)] : components
}

function componentsOf(path: Uint8Array, separator: number): Uint8Array[] {
  const components: Uint8Array[] = []
  let start = 0
  for (let i = 0; i <= path.length; i++) {
    if (i < path.length && path[i] !== separator) continue
    components.push(path.subarray(start, i))
    start = i + 1
  }
  return components
}
