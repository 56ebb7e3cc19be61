import type { NodeRef, RootSpec } from '@hotpath/model'
import { entryAtPath } from './path-lookup.js'
import type { RootState } from './root-state.js'

/** What the views that answer queries say about nodes: who keeps something about nodes asks here. */

/** Volumes of the roots that answer queries. */
export function volumesOf(roots: Iterable<RootState>): { readonly volume: string; readonly kind: RootSpec['kind'] }[] {
  return [...roots].flatMap(({ answering, spec }) =>
    answering ? [{ volume: answering.options.volume, kind: spec.kind }] : [],
  )
}

/** True if some root holds an entry of this node. */
export function hasNode(roots: Iterable<RootState>, volume: string, ref: NodeRef): boolean {
  for (const { answering } of roots) {
    if (answering?.options.volume === volume && answering.entriesOf(ref).length > 0) return true
  }
  return false
}

/** An entry that was found by its path; without `ref` where the root's nodes have none. */
export interface NodeAtPath {
  readonly volume: string
  readonly name: Uint8Array
  readonly ref: NodeRef | undefined
}

/** Each root's entry at a path as answers write it. */
export function entriesAt(roots: Iterable<RootState>, path: Uint8Array): NodeAtPath[] {
  return [...roots].flatMap(({ answering }) => {
    const live = answering && entryAtPath(answering, path)
    return live
      ? [{ volume: answering.options.volume, name: answering.nameOf(live), ref: answering.rowOf(live).ref }]
      : []
  })
}
