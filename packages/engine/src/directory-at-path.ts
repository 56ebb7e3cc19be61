import { compareBytes } from '@hotpath/index-format'
import { NO_DIRECTORY } from '@hotpath/model'
import type { ViewState } from './view-state.js'

const SLASH = 0x2f
const BACKSLASH = 0x5c

/** Id of the root directory of a view; NO_DIRECTORY if it is not known yet. */
export function rootDirectory({ segments, delta }: ViewState): number {
  if (segments.length > 0 && segments[0].reader.dirCount > 0) return segments[0].reader.dirIdOf(0)
  for (const dirId of delta.directories()) if (delta.parent[delta.rowOf(dirId)] === NO_DIRECTORY) return dirId
  return NO_DIRECTORY
}

/** The directory of a path as answers write it; NO_DIRECTORY if the view has none there. Cost: a few lookups a component. */
export function directoryAtPath(view: ViewState, path: Uint8Array): number {
  const names = namesOf(path)
  const root = rootDirectory(view)
  if (root === NO_DIRECTORY) return NO_DIRECTORY
  const above = view.componentsOf(root)
  if (above.length > names.length || !above.every((name, i) => compareBytes(name, names[i]) === 0)) return NO_DIRECTORY
  let directory = root
  for (const name of names.slice(above.length)) {
    directory = directoryIn(view, directory, name)
    if (directory === NO_DIRECTORY) return NO_DIRECTORY
  }
  return directory
}

function directoryIn(view: ViewState, parent: number, name: Uint8Array): number {
  const { delta } = view
  for (const dirId of delta.directories()) {
    const row = delta.rowOf(dirId)
    if (delta.parent[row] === parent && compareBytes(delta.nameOf(row), name) === 0) return dirId
  }
  for (const { reader } of view.segments) {
    const local = reader.findDir(parent)
    const entry = local < 0 ? -1 : reader.findChild(local, name)
    if (entry < 0 || entry >= reader.dirCount) continue
    const dirId = reader.dirIdOf(entry)
    const place = view.placeOf(dirId)
    // A segment can be wrong about where a directory is.
    if (place?.parent === parent && compareBytes(place.name, name) === 0) return dirId
  }
  return NO_DIRECTORY
}

/** Components of a path: `\` separates those that begin with a drive or two of it. */
function namesOf(path: Uint8Array): Uint8Array[] {
  if (path.length === 1 && path[0] === SLASH) return [path.subarray(0, 0)]
  const isServer = path[0] === BACKSLASH && path[1] === BACKSLASH
  const letter = path[0] | 0x20
  const isDrive = path[1] === 0x3a && letter >= 0x61 && letter <= 0x7a && (path.length === 2 || path[2] === BACKSLASH)
  const separator = isServer || isDrive ? BACKSLASH : SLASH
  const names: Uint8Array[] = []
  let start = 0
  for (let i = isServer ? 2 : 0; i <= path.length; i++) {
    if (i < path.length && path[i] !== separator) continue
    names.push(path.subarray(start, i))
    start = i + 1
  }
  return names
}
