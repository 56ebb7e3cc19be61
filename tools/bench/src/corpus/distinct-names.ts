import type { SyntheticEntry } from './synthetic-tree.js'

/** A multiplier that is odd and has no small factors in common with 36: numbers in a row look like anything. */
const MIXER = 0x9e3779b1
const BASE = 36

/** Gives every name of a tree something of its own before its ending, so that no two are the same: the worst that can be. */
export class DistinctNames {
  private count = 0
  /** New paths of the directories that are open, by their old ones. */
  private readonly renamed = new Map<string, string>()

  of(entry: SyntheticEntry): SyntheticEntry {
    const slash = entry.path.lastIndexOf('/')
    const parent = entry.path.slice(0, slash)
    const name = entry.path.slice(slash + 1)
    // Mixing is a bijection of 32 bits, so that nothing comes twice.
    const own = (Math.imul(++this.count, MIXER) >>> 0).toString(BASE)
    const dot = name.lastIndexOf('.')
    const changed = dot > 0 ? `${name.slice(0, dot)}-${own}${name.slice(dot)}` : `${name}-${own}`
    const path = `${this.renamed.get(parent) ?? parent}/${changed}`
    if (Number.isNaN(entry.size)) this.renamed.set(entry.path, path)
    return { ...entry, path }
  }
}
