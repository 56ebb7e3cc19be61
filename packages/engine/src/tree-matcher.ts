import type { NameTest } from '@hotpath/query'
import { Bitset } from './bitset.js'
import type { MatchCounters } from './name-matcher.js'
import { passesTest } from './name-test.js'
import type { SegmentState } from './segment-state.js'
import type { ViewState } from './view-state.js'

/** Tests of consecutive components. */
export interface ComponentTests {
  readonly tests: readonly NameTest[]
  /** The first test is for the first component of the path. */
  readonly first: boolean
}

/**
 * Matches components of paths against the tree of one segment. Directories are looked at where they are now: those that
 * this segment has in the wrong place (`displaced`) are decided by their components.
 */
export class TreeMatcher {
  constructor(
    private readonly view: ViewState,
    private readonly segment: SegmentState,
    private readonly counters: MatchCounters,
  ) {}

  /** Local directories (stubs and tombstoned ones too: they anchor ranges) at which `tests` end. */
  directoriesEnding(sequence: ComponentTests): Bitset {
    const { reader } = this.segment
    const { tests } = sequence
    const last = tests.length - 1
    const named = tests.map(test => this.namesPassing(test))
    const bits = new Bitset(reader.dirCount)
    named[last].forEach(name => {
      reader.dirs.forEachRow(name, local => {
        if (this.endsAt(sequence, named, local, last)) bits.add(local)
      })
    })
    for (const local of this.segment.displaced) {
      if (this.endsInComponents(sequence, this.componentsOf(local), last)) bits.add(local)
      else bits.delete(local)
    }
    return bits
  }

  /** True if `tests` end at a component that stands before the root: then everything lies inside. */
  endsBeforeRoot(sequence: ComponentTests): boolean {
    const { prefixComponents } = this.view
    for (let length = 1; length <= prefixComponents.length; length++) {
      if (this.endsInComponents(sequence, prefixComponents.slice(0, length), sequence.tests.length - 1)) return true
    }
    return false
  }

  /** True if `tests` end at the last component before the root, so that the root is a child of what matches. */
  endsAtPrefix(sequence: ComponentTests): boolean {
    const { prefixComponents } = this.view
    return prefixComponents.length > 0 && this.endsInComponents(sequence, prefixComponents, sequence.tests.length - 1)
  }

  /** The directories of `bits` and all below them, as things are now. Cost: ranges; with displaced directories one pass. */
  closeDown(bits: Bitset): Bitset {
    const { reader, displaced } = this.segment
    const closed = new Bitset(reader.dirCount)
    if (displaced.size === 0) {
      for (let local = bits.next(0); local >= 0; ) {
        const end = reader.dirEnd(local)
        closed.fill(local, end)
        local = bits.next(end)
      }
      return closed
    }
    for (let local = 0; local < reader.dirCount; local++) {
      if (bits.has(local)) closed.add(local)
      else if (local > 0 && !displaced.has(local) && closed.has(reader.parentOf(local))) closed.add(local)
    }
    // A displaced directory takes part in the subtree that it is in now, and takes its own with it.
    for (const local of [...displaced].sort((a, b) => a - b)) this.closeDisplaced(bits, closed, local)
    return closed
  }

  private closeDisplaced(bits: Bitset, closed: Bitset, island: number): void {
    const { reader, displaced } = this.segment
    if (closed.has(island) || !this.hasAncestorIn(bits, island)) return
    closed.add(island)
    const end = reader.dirEnd(island)
    for (let local = island + 1; local < end; local++) {
      if (!displaced.has(local) && closed.has(reader.parentOf(local))) closed.add(local)
    }
  }

  /** True if some directory above `local`, as things are now, is in `bits` (when this segment has a row for it). */
  private hasAncestorIn(bits: Bitset, local: number): boolean {
    const { reader } = this.segment
    let dirId = this.view.placeOf(reader.dirIdOf(local))?.parent ?? 0
    while (dirId !== 0) {
      const ancestor = reader.findDir(dirId)
      if (ancestor >= 0 && bits.has(ancestor)) return true
      if (ancestor < 0 && this.outside?.(dirId)) return true
      dirId = this.view.placeOf(dirId)?.parent ?? 0
    }
    return false
  }

  /** Decides for directories that this segment has no row for; set while a closure of a sequence is made. */
  private outside: ((dirId: number) => boolean) | undefined

  /** Directories at which `tests` end and all below them. */
  closureOf(sequence: ComponentTests): Bitset {
    if (this.endsBeforeRoot(sequence)) return Bitset.full(this.segment.reader.dirCount)
    this.outside = dirId => this.endsInComponents(sequence, this.view.componentsOf(dirId), sequence.tests.length - 1)
    try {
      return this.closeDown(this.directoriesEnding(sequence))
    } finally {
      this.outside = undefined
    }
  }

  /** Name ids of directories that pass a test. */
  private namesPassing(test: NameTest): Bitset {
    const { reader, matchers } = this.segment
    const free =
      (test.mode === 'prefix' || test.mode === 'suffix' || test.mode === 'substring') && test.needle.length === 0
    if (free && test.spelling === undefined) return Bitset.full(reader.dirs.nameCount)
    return matchers.d.matchBits({ kind: 'name', test }, this.counters)
  }

  private endsAt(sequence: ComponentTests, named: readonly Bitset[], local: number, last: number): boolean {
    const { reader, displaced } = this.segment
    if (local === 0 && this.view.virtualRoot) return false
    if (displaced.has(local)) return this.endsInComponents(sequence, this.componentsOf(local), last)
    if (!named[last].has(reader.dirs.nameIdOf(local))) return false
    const parent = reader.parentOf(local)
    if (last === 0) return !sequence.first || this.isFirst(local, parent)
    if (parent < 0) return this.endsInComponents(sequence, this.view.prefixComponents, last - 1)
    return this.endsAt(sequence, named, parent, last - 1)
  }

  private isFirst(local: number, parent: number): boolean {
    if (this.view.virtualRoot) return parent === 0
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
  endsIn(sequence: ComponentTests, components: readonly Uint8Array[]): boolean {
    return this.endsInComponents(sequence, components, sequence.tests.length - 1)
  }

  /** Components of the current path of a local directory. */
  componentsOf(local: number): readonly Uint8Array[] {
    return this.view.componentsOf(this.segment.reader.dirIdOf(local))
  }

  /** Local row of the directory that holds a local directory now: -1 none (the root), -2 one that this segment lacks. */
  currentParent(local: number): number {
    const { reader, displaced } = this.segment
    if (!displaced.has(local)) return reader.parentOf(local)
    const parent = this.view.placeOf(reader.dirIdOf(local))?.parent ?? 0
    if (parent === 0) return -1
    const row = reader.findDir(parent)
    return row < 0 ? -2 : row
  }
}
