import type { Table } from '@hotpath/index-format'
import { type Access, NO_DIRECTORY } from '@hotpath/model'
import { type Credentials, hasAcl, mayList } from '@hotpath/platform'
import { Bitset } from './bitset.js'
import { filesOf } from './directory-filters.js'
import { type DiskDirectories, type DiskPermissions, pathOf } from './disk-directories.js'
import { RowSet } from './row-set.js'
import { CHECK_MASK } from './search-work.js'
import type { SegmentState } from './segment-state.js'
import type { ViewState } from './view-state.js'

/** How long a directory counts as closed that the disk closed and the index does not know of: nobody may be watching. */
const DENIED_MS = 30_000

interface SegmentSight {
  /** Local directories that may be listed. */
  readonly directories: Bitset
  /** Rows that may be seen. */
  readonly rows: Partial<Record<Table, RowSet>>
  /** Directories of it had no live entry: they may get one. */
  readonly isProvisional: boolean
  /** `changes` of the view when it was made. */
  readonly changes: number
}

/**
 * The directories of a view that one user may list: those with the permission to read and to search, all above them included. An
 * entry may be seen if its directory may be listed. Made from what the index knows of each directory, and kept until a directory
 * changes place, mode, owner or access list. Cost: 60 to 150 ns a directory, two bits an entry.
 */
export class VisibleDirectories {
  private readonly segments = new Map<SegmentState, SegmentSight>()
  /** By directory id, of those that were asked for one by one. */
  private readonly single = new Map<number, boolean>()
  /** Directories that the disk closed, and until when that holds (ms). */
  private readonly denied = new Map<number, number>()
  private accessVersion = -1
  private changes = -1
  private isRootVisible = false
  private last: Access & { readonly verdict: boolean } = { mode: -1, user: 0, group: 0, verdict: false }

  constructor(
    private readonly view: ViewState,
    private readonly who: Credentials,
    private readonly disk: DiskDirectories,
    private readonly permissions: DiskPermissions,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Call before each search. */
  refresh(): void {
    const { view } = this
    const isRootVisible = this.looksAboveRoot()
    const now = this.now()
    let isStale = view.accessVersion !== this.accessVersion || isRootVisible !== this.isRootVisible
    for (const [dirId, untilMs] of this.denied) {
      if (untilMs > now && view.accessVersion === this.accessVersion) continue
      this.denied.delete(dirId)
      isStale = true
    }
    if (isStale) this.segments.clear()
    if (isStale || view.changes !== this.changes) this.single.clear()
    for (const [segment, sight] of this.segments) {
      const isOld = sight.isProvisional && sight.changes !== view.changes
      if (isOld || !view.segments.includes(segment)) this.segments.delete(segment)
    }
    this.accessVersion = view.accessVersion
    this.changes = view.changes
    this.isRootVisible = isRootVisible
  }

  /** What is above the root is not in the index: the disk is asked. */
  private looksAboveRoot(): boolean {
    const { prefixComponents, virtualRoot } = this.view
    if (virtualRoot) return false
    if (this.permissions.barrier(prefixComponents, prefixComponents.length) >= 0) return false
    const root = this.rootPath()
    return root !== undefined && this.permissions.mayReach(root)
  }

  private rootPath(): Uint8Array | undefined {
    const root = this.view.rootDirectory()
    return root === undefined ? undefined : pathOf(this.view.componentsOf(root))
  }

  /** Whether the entries of a directory may be seen; of NO_DIRECTORY: the root. */
  mayList(dirId: number): boolean {
    if (dirId === NO_DIRECTORY) return this.isRootVisible
    // From the directory up to one that is decided, then down again: a tree can be of any depth.
    const chain: { id: number; access: Access | undefined }[] = []
    let above: boolean | undefined
    for (let at = dirId; above === undefined; ) {
      above = at === NO_DIRECTORY ? this.isRootVisible : this.single.get(at)
      if (above !== undefined) break
      const standing = this.view.standingOf(at)
      chain.push({ id: at, access: standing?.access })
      if (standing === undefined) above = false
      else at = standing.parent
    }
    let verdict = above
    for (const { id, access } of chain.reverse()) {
      verdict = verdict && this.allows(id, access)
      this.single.set(id, verdict)
    }
    return verdict
  }

  /** Rows of a table that may be seen, hidden ones among them. */
  rows(segment: SegmentState, table: Table, checkCancelled: () => void): RowSet {
    const sight = this.sightOf(segment, checkCancelled)
    const { reader } = segment
    const { directories } = sight
    sight.rows[table] ??=
      table === 'f'
        ? filesOf({ reader, rowCount: reader.fileCount }, directories)
        : RowSet.ofBits(this.childrenOf(segment, directories))
    return sight.rows[table]
  }

  /** Rows of directories in visible ones, where they are now. */
  private childrenOf(segment: SegmentState, visible: Bitset): Bitset {
    const { reader, displaced } = segment
    const children = new Bitset(reader.dirCount)
    for (let local = 0; local < reader.dirCount; local++) {
      const parent = reader.parentOf(local)
      const isMoved = displaced.size > 0 && displaced.has(local)
      const isSeen = isMoved
        ? this.mayList(this.view.placeOf(reader.dirIdOf(local))?.parent ?? NO_DIRECTORY)
        : parent < 0
          ? this.isRootVisible
          : visible.has(parent)
      if (isSeen) children.add(local)
    }
    return children
  }

  private sightOf(segment: SegmentState, checkCancelled: () => void): SegmentSight {
    let sight = this.segments.get(segment)
    if (sight === undefined) {
      sight = this.look(segment, checkCancelled)
      this.segments.set(segment, sight)
    }
    return sight
  }

  /** From the root down: parents stand before their children. */
  private look(segment: SegmentState, checkCancelled: () => void): SegmentSight {
    const { reader, displaced } = segment
    const directories = new Bitset(reader.dirCount)
    let isProvisional = false
    for (let local = 0; local < reader.dirCount; local++) {
      if ((local & CHECK_MASK) === 0) checkCancelled()
      const dirId = reader.dirIdOf(local)
      // Where its live row is elsewhere, so may be what it says.
      if (segment.isHidden('d', local) || (displaced.size > 0 && displaced.has(local))) {
        if (this.view.standingOf(dirId) === undefined) isProvisional = true
        else if (this.mayList(dirId)) directories.add(local)
        continue
      }
      const parent = reader.parentOf(local)
      const above = parent < 0 ? this.isRootVisible : directories.has(parent)
      if (above && this.allows(dirId, reader.accessOf(local))) directories.add(local)
    }
    return { directories, rows: {}, isProvisional, changes: this.view.changes }
  }

  /** Nothing of a segment is kept any more. */
  forget(segment: SegmentState): void {
    this.segments.delete(segment)
  }

  /** By its own permissions alone. */
  private allows(dirId: number, access: Access | undefined): boolean {
    if (access === undefined || (this.denied.size > 0 && this.denied.has(dirId))) return false
    if (!hasAcl(access.mode)) return this.allowsPlain(access)
    const acl = this.disk.acl(pathOf(this.view.componentsOf(dirId)))
    return acl !== undefined && mayList(access, acl === 'none' ? undefined : acl, this.who)
  }

  /** Neighbours are mostly alike, and some users have thousands of groups. */
  private allowsPlain(access: Access): boolean {
    const { last } = this
    if (access.mode !== last.mode || access.user !== last.user || access.group !== last.group) {
      this.last = { ...access, verdict: mayList(access, undefined, this.who) }
    }
    return this.last.verdict
  }

  /**
   * Asks the disk whether a directory that counts as visible may be listed.
   * @returns false if not: from now on it does not count as visible
   */
  confirm(dirId: number): boolean {
    const { view } = this
    const above = view.prefixComponents.length
    const components = view.componentsOf(dirId)
    if (dirId === NO_DIRECTORY) return this.looksAboveRoot()
    const barrier = this.permissions.barrier(components, above + 1)
    if (barrier < 0) return true
    let closed = dirId
    for (let up = components.length - 1 - barrier; up > 0; up--) closed = view.placeOf(closed)?.parent ?? NO_DIRECTORY
    // Of what is above the root, `refresh` finds out.
    if (closed !== NO_DIRECTORY) this.denied.set(closed, this.now() + DENIED_MS)
    this.segments.clear()
    this.single.clear()
    return false
  }
}
