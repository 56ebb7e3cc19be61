import { createHash } from 'node:crypto'
import { sep } from 'node:path'
import type { RootSpec } from '@hotpath/model'

/** The root of a directory tree, a file list or a volume. Its id is derived from kind and path, so it is the same after a restart. */
export function rootSpecOf(kind: RootSpec['kind'], path: string): RootSpec {
  const hash = createHash('sha256').update(`${kind}\0${path}`).digest('hex')
  return { id: `${kind}-${hash.slice(0, 16)}`, kind, path }
}

/**
 * Roots to index: a root inside another root of the same kind is indexed with it, a repeated one once.
 * @param crossDevices whether an outer root includes what is mounted below it; if not, an inner root stays when it lies on
 *   another device, which `deviceOf` tells
 */
export function distinctRoots(
  roots: readonly RootSpec[],
  crossDevices: boolean,
  deviceOf: (path: string) => number | undefined,
): RootSpec[] {
  const kept: RootSpec[] = []
  for (const root of roots) {
    if (kept.some(other => other.id === root.id)) continue
    const inside = roots.some(
      outer =>
        outer.kind === 'tree' &&
        root.kind === 'tree' &&
        outer.path !== root.path &&
        isBelow(root.path, outer.path) &&
        (crossDevices || deviceOf(outer.path) === deviceOf(root.path)),
    )
    if (!inside) kept.push(root)
  }
  return kept
}

function isBelow(path: string, ancestor: string): boolean {
  return path.startsWith(ancestor.endsWith(sep) ? ancestor : `${ancestor}${sep}`)
}
