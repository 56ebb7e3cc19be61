import type { Credentials } from '@hotpath/platform'
import { type DiskDirectories, DiskPermissions } from './disk-directories.js'
import type { Hit } from './hit.js'
import type { SegmentState } from './segment-state.js'
import type { ViewState } from './view-state.js'
import { VisibleDirectories } from './visible-directories.js'

/** Users whose visible directories are kept in a worker: a quarter of a megabyte each for a million entries. */
const MAX_VIEWERS = 8

/** What one user may see of an index. */
export class Sight {
  private readonly permissions: DiskPermissions
  private readonly views = new Map<ViewState, VisibleDirectories>()

  constructor(
    private readonly who: Credentials,
    private readonly disk: DiskDirectories,
  ) {
    this.permissions = new DiskPermissions(disk, who)
  }

  /** Call before each search, with its views. */
  refresh(views: readonly ViewState[]): void {
    for (const view of this.views.keys()) if (!views.includes(view)) this.views.delete(view)
    for (const view of views) this.of(view).refresh()
  }

  of(view: ViewState): VisibleDirectories {
    let directories = this.views.get(view)
    if (directories === undefined) {
      directories = new VisibleDirectories(view, this.who, this.disk, this.permissions)
      this.views.set(view, directories)
    }
    return directories
  }

  forget(view: ViewState, segment: SegmentState): void {
    this.views.get(view)?.forget(segment)
  }

  forgetView(view: ViewState): void {
    this.views.delete(view)
  }

  /** The hits of a page that the disk does not let the user see, whatever the index says. */
  refused(hits: readonly Hit[]): Set<Hit> {
    const verdicts = new Map<ViewState, Map<number, boolean>>()
    const refused = new Set<Hit>()
    for (const hit of hits) {
      const ofView = verdicts.get(hit.view) ?? new Map<number, boolean>()
      verdicts.set(hit.view, ofView)
      const verdict = ofView.get(hit.parentId) ?? this.of(hit.view).confirm(hit.parentId)
      ofView.set(hit.parentId, verdict)
      if (!verdict) refused.add(hit)
    }
    return refused
  }
}

/** The users for whom a replica has answered lately. */
export class Sights {
  private readonly sights = new Map<string, Sight>()

  constructor(private readonly disk: DiskDirectories) {}

  get isEmpty(): boolean {
    return this.sights.size === 0
  }

  /** The segment is no part of the view any more. */
  forget(view: ViewState, segment: SegmentState): void {
    for (const sight of this.sights.values()) sight.forget(view, segment)
  }

  forgetView(view: ViewState): void {
    for (const sight of this.sights.values()) sight.forgetView(view)
  }

  /** Users with the same groups see the same; whoever was asked for longest ago is forgotten. */
  of(who: Credentials): Sight {
    const key = `${who.user}:${[...who.groups].sort((a, b) => a - b).join()}`
    const sight = this.sights.get(key) ?? new Sight(who, this.disk)
    this.sights.delete(key)
    this.sights.set(key, sight)
    for (const oldest of this.sights.keys()) {
      if (this.sights.size <= MAX_VIEWERS) break
      this.sights.delete(oldest)
    }
    return sight
  }
}
