import { type NameTest, passesTest } from '@hotpath/query'
import { Bitset } from './bitset.js'
import { RowSet } from './row-set.js'
import { CHECK_MASK, type SearchWork } from './search-work.js'
import type { SegmentState } from './segment-state.js'
import type { ViewState } from './view-state.js'

/** Tests of consecutive components. */
export interface ComponentTests {
  readonly tests: readonly NameTest[]
  /** The first test is for the first component of the path. */
  readonly first: boolean
}

/** True if every name passes. */
export function isFreeTest(test: NameTest): boolean {
  if (test.mode === 'glob' || test.mode === 'regex' || test.mode === 'exact') return false
  return test.needle.length === 0 && test.spelling === undefined
}

/**
 * Matches components of paths against the tree of one segment. Directories are looked at where they are now: those that
 * this segment has in the wrong place (`displaced`) are decided by their components, all others by the tree, where a
 * subtree is a range.
 */
export class TreeMatcher {
  /** Where each list of tests ends, found once a search. */
  private readonly endings = new Map<readonly NameTest[], Bitset>()

  constructor(
    private readonly view: ViewState,
    private readonly segment: SegmentState,
    private readonly work: SearchWork,
  ) {}

  /** Local directories (stubs and tombstoned ones too: they anchor ranges) at which `tests` end; not to be changed. */
  directoriesEnding(sequence: ComponentTests): Bitset {
    let bits = this.endings.get(sequence.tests)
    if (bits === undefined) {
      bits = this.findEnding(sequence)
      this.endings.set(sequence.tests, bits)
    }
    return bits
  }

  private findEnding(sequence: ComponentTests): Bitset {
    let ending = this.directoriesPassing(sequence.tests[0])
    if (sequence.first) ending = ending.filter(local => this.isFirst(local))
    let bits = this.corrected(sequence, ending, 0)
    for (let i = 1; i < sequence.tests.length; i++) {
      const above = bits
      const test = sequence.tests[i]
      let rows: RowSet
      if (isFreeTest(test)) rows = this.childrenOf(above)
      else rows = this.directoriesPassing(test).filter(local => local > 0 && above.has(this.parentOf(local)))
      bits = this.corrected(sequence, rows, i)
    }
    return bits
  }

  /** Level `last` of a sequence: row 0 and displaced directories are decided by their components. */
  private corrected(sequence: ComponentTests, rows: RowSet, last: number): Bitset {
    const bits = rows.toBits()
    const decide = (local: number): void => {
      if (this.endsInComponents(sequence, this.componentsOf(local), last)) bits.add(local)
      else bits.delete(local)
    }
    for (const local of this.segment.displaced) decide(local)
    if (this.view.virtualRoot) bits.delete(0)
    else decide(0)
    return bits
  }

  /** Children of directories as the segment has them. */
  private childrenOf(directories: Bitset): RowSet {
    const { reader } = this.segment
    const bits = new Bitset(reader.dirCount)
    let steps = 0
    for (let local = directories.next(0); local >= 0; local = directories.next(local + 1)) {
      const end = reader.dirEnd(local)
      for (let child = local + 1; child < end; child = reader.dirEnd(child)) {
        if ((++steps & CHECK_MASK) === 0) this.work.checkCancelled()
        bits.add(child)
      }
    }
    return RowSet.ofBits(bits)
  }

  /** True if `tests` end at a component that stands before the root: then everything lies inside. */
  private endsBeforeRoot(sequence: ComponentTests): boolean {
    const { prefixComponents } = this.view
    for (let length = 1; length <= prefixComponents.length; length++) {
      if (this.endsIn(sequence, prefixComponents.slice(0, length))) return true
    }
    return false
  }

  /** True if `tests` end at the last component before the root, so that the root is a child of what matches. */
  private endsAtPrefix(sequence: ComponentTests): boolean {
    const { prefixComponents } = this.view
    return prefixComponents.length > 0 && this.endsIn(sequence, prefixComponents)
  }

  /** Directories at which `tests` end and all below them. */
  closureOf(sequence: ComponentTests): Bitset {
    if (this.endsBeforeRoot(sequence)) return Bitset.full(this.segment.reader.dirCount)
    return this.closeDown(sequence, this.directoriesEnding(sequence))
  }

  /** Directories strictly below those at which `tests` end. */
  directoriesInside(sequence: ComponentTests): Bitset {
    if (this.endsBeforeRoot(sequence)) return Bitset.full(this.segment.reader.dirCount)
    const ending = this.directoriesEnding(sequence)
    const closed = this.closeDown(sequence, ending)
    const inside = closed.clone()
    // What is in the closure for its own sake alone is not inside.
    for (let local = ending.next(0); local >= 0; local = ending.next(local + 1)) {
      const parent = this.currentParent(local)
      const above = parent >= 0 ? closed.has(parent) : parent === OUTSIDE && this.isInside(sequence, local)
      if (!above) inside.delete(local)
    }
    return inside
  }

  /** Directories whose parent is one at which `tests` end. */
  childDirectories(sequence: ComponentTests): Bitset {
    const ending = this.directoriesEnding(sequence)
    const bits = this.childrenOf(ending).toBits()
    const decide = (local: number): void => {
      const parent = this.currentParent(local)
      const isChild =
        parent >= 0
          ? ending.has(parent)
          : parent === OUTSIDE
            ? this.endsIn(sequence, this.componentsOf(local).slice(0, -1))
            : this.endsAtPrefix(sequence)
      if (isChild) bits.add(local)
      else bits.delete(local)
    }
    for (const local of this.segment.displaced) decide(local)
    decide(0)
    return bits
  }

  /** The directories of `bits` and all below them, as things are now. */
  private closeDown(sequence: ComponentTests, bits: Bitset): Bitset {
    const { reader, displaced } = this.segment
    const closed = new Bitset(reader.dirCount)
    this.fillSubtrees(bits, closed, 0, reader.dirCount)
    // A displaced directory takes part in the subtree that it is in now, and takes its own with it. Outer ones first:
    // what lies in an inner one is decided last.
    for (const island of [...displaced].sort((a, b) => a - b)) {
      const end = reader.dirEnd(island)
      const inside = bits.has(island) || this.hasAncestorIn(sequence, bits, island)
      closed.clear(island, end)
      if (inside) closed.fill(island, end)
      else this.fillSubtrees(bits, closed, island + 1, end)
    }
    return closed
  }

  private fillSubtrees(bits: Bitset, closed: Bitset, from: number, to: number): void {
    const { reader } = this.segment
    for (let local = bits.next(from); local >= 0 && local < to; ) {
      const end = reader.dirEnd(local)
      closed.fill(local, end)
      local = bits.next(end)
    }
  }

  /** True if some directory above `local`, as things are now, is in `bits`; directories that this segment lacks are tested. */
  private hasAncestorIn(sequence: ComponentTests, bits: Bitset, local: number): boolean {
    const { reader } = this.segment
    let dirId = this.view.placeOf(reader.dirIdOf(local))?.parent ?? 0
    while (dirId !== 0) {
      const ancestor = reader.findDir(dirId)
      if (ancestor >= 0 ? bits.has(ancestor) : this.endsIn(sequence, this.view.componentsOf(dirId))) return true
      dirId = this.view.placeOf(dirId)?.parent ?? 0
    }
    return false
  }

  /** True if `tests` end at a component before the last one. */
  private isInside(sequence: ComponentTests, local: number): boolean {
    const components = this.componentsOf(local)
    for (let length = 1; length < components.length; length++) {
      if (this.endsIn(sequence, components.slice(0, length))) return true
    }
    return false
  }

  /** Directories whose name passes a test. */
  private directoriesPassing(test: NameTest): RowSet {
    const { reader, matchers } = this.segment
    if (isFreeTest(test)) return RowSet.full(reader.dirCount)
    return matchers.d.rowsOf(matchers.d.verdicts({ kind: 'name', test }, this.work), this.work)
  }

  private isFirst(local: number): boolean {
    if (this.view.virtualRoot) return this.parentOf(local) === 0
    return local === 0 && this.view.prefixComponents.length === 0
  }

  /** True if tests 0 … last hold for the last components, the last test for the last one. */
  private endsInComponents(sequence: ComponentTests, components: readonly Uint8Array[], last: number): boolean {
    const start = components.length - 1 - last
    if (start < 0 || (sequence.first && start !== 0)) return false
    for (let i = 0; i <= last; i++) if (!passesTest(sequence.tests[i], components[start + i])) return false
    return true
  }

  /** True if `tests` end at the last of these components. */
  private endsIn(sequence: ComponentTests, components: readonly Uint8Array[]): boolean {
    return this.endsInComponents(sequence, components, sequence.tests.length - 1)
  }

  /** Components of the current path of a local directory. */
  private componentsOf(local: number): readonly Uint8Array[] {
    return this.view.componentsOf(this.segment.reader.dirIdOf(local))
  }

  private parentOf(local: number): number {
    return this.segment.reader.parentOf(local)
  }

  /** Local row of the directory that holds a local directory now: NO_PARENT for the root, OUTSIDE if this segment lacks it. */
  private currentParent(local: number): number {
    const { reader, displaced } = this.segment
    if (!displaced.has(local)) return reader.parentOf(local)
    const parent = this.view.placeOf(reader.dirIdOf(local))?.parent ?? 0
    if (parent === 0) return NO_PARENT
    const row = reader.findDir(parent)
    return row < 0 ? OUTSIDE : row
  }

  /** Number of components of the path of a directory. */
  depthOf(local: number): number {
    const { displaced } = this.segment
    let climbed = 0
    let at = local
    while (at > 0 && !displaced.has(at)) {
      at = this.parentOf(at)
      climbed++
    }
    return climbed + this.componentsOf(at).length
  }

  /** The same for all directories, in preorder. */
  forEachDepth(visit: (local: number, depth: number) => void): void {
    const { reader, displaced } = this.segment
    const depths = new Uint32Array(reader.dirCount)
    for (let local = 0; local < reader.dirCount; local++) {
      if ((local & CHECK_MASK) === 0) this.work.checkCancelled()
      if (local > 0 && !displaced.has(local)) depths[local] = depths[reader.parentOf(local)] + 1
      else depths[local] = this.componentsOf(local).length
      visit(local, depths[local])
    }
  }
}

const NO_PARENT = -1
const OUTSIDE = -2
