import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DEFAULT_SCORING, pathRef, scoreOf, type Use, volumeKey } from '@hotpath/hot-score'
import { buildSegment, MemorySink } from '@hotpath/index-format'
import {
  type Access,
  type EngineOp,
  type EntryColumns,
  type HotColumns,
  KIND_STUB,
  Kind,
  type NodeRef,
} from '@hotpath/model'
import { type Credentials, mayList } from '@hotpath/platform'
import type { Entry } from '@hotpath/query'
import type { Random } from '@hotpath/query/testing'
import type { Engine } from '../engine.js'
import { childPrefix, joinPath } from '../path-text.js'
import { MappedSegmentOpener } from '../segment-opener.js'

export const NOW_MS = Date.UTC(2026, 5, 15, 12)
const NOW_SECONDS = NOW_MS / 1000

/** A directory or file of the model. */
export interface Node {
  id: number
  name: string
  parent: Node | undefined
  directory: boolean
  stub: boolean
  kind: Kind
  size: number
  seconds: number
  ticks: number
  changed: number
  attributes: number
  /** Inode, in a tree. */
  inode: number
  use: Use | undefined
  /** Of a directory: who may list it. */
  access: Access
}

/** All may list it. */
export const OPEN: Access = { mode: 0o755, user: 0, group: 0 }
function anyAccess(random: Random): Access {
  if (random.chance(0.6)) return OPEN
  const right = (): number => random.pick([0, 1, 4, 5, 5, 7])
  const mode = (right() << 6) | (right() << 3) | right()
  return { mode, user: random.below(3), group: random.pick([0, 10, 20]) }
}

const NAMES = [
  'main.go',
  'Main.GO',
  'index.html',
  'a',
  'b',
  'ab',
  'README',
  'readme.md',
  'größe.txt',
  'GRÖSSE.TXT',
  'x.tar.gz',
  'İstanbul',
  'ıstanbul',
  'naïve',
  'nai\u0308ve',
  '.gz',
  'foo.',
  'src',
  'lib',
  'test_utils.py',
  'TEST',
  'страница.html',
  '日本語',
]

/** A random tree of one view, its rows spread over segments and delta, some of them moved since their segment was written. */
export class Model {
  readonly nodes: Node[] = []
  private readonly root: Node
  private nextDir = 1
  private lastInode = 0
  /** Without them nodes are named by their paths and stay where they are, as in lists. */
  readonly withRefs: boolean

  constructor(
    private readonly random: Random,
    size: number,
    readonly virtualRoot: boolean,
    /** Id of its view. */
    readonly view: number,
  ) {
    this.withRefs = !virtualRoot || random.chance(0.5)
    this.root = this.add(virtualRoot ? '' : 'root', undefined, true, virtualRoot)
    if (virtualRoot) this.add('', this.root, true, true)
    for (let i = 0; i < size; i++) {
      const directories = this.nodes.filter(
        node => node.directory && (!virtualRoot || node !== this.root || random.chance(0.2)),
      )
      this.add(this.name(), random.pick(directories), random.chance(0.25), false)
    }
  }

  get volume(): string {
    return `Vol-${this.view}a`
  }

  private name(): string {
    return this.random.chance(0.7) ? this.random.pick(NAMES) : `${this.random.pick(NAMES)}-${this.random.below(50)}`
  }

  private add(name: string, parent: Node | undefined, directory: boolean, stub: boolean): Node {
    let unique = name
    while (parent && this.nodes.some(node => node.parent === parent && node.name === unique))
      unique = `${unique}${this.random.below(10)}`
    const node: Node = {
      id: directory ? this.nextDir++ : 0,
      name: unique,
      parent,
      directory,
      stub,
      kind: directory
        ? Kind.directory
        : this.random.pick([Kind.file, Kind.file, Kind.file, Kind.file, Kind.symlink, Kind.other]),
      size: this.random.chance(0.1) ? Number.NaN : this.random.pick([0, 1, 5, 254, 255, 1000, 70_000, 5_000_000, 3e9]),
      seconds: this.random.chance(0.1) ? Number.NaN : 1_700_000_000 + this.random.below(2000) * 3600,
      ticks: this.random.chance(0.5) ? 0 : this.random.below(10_000_000),
      changed: this.random.chance(0.1) ? Number.NaN : 1_700_000_000 + this.random.below(2000) * 3600,
      attributes: this.random.pick([0, 0, 1, 2, 3, 6, 32, 33, 128]),
      inode: ++this.lastInode,
      use: undefined,
      access: anyAccess(this.random),
    }
    this.nodes.push(node)
    return node
  }

  /** Moves a random directory or file; returns it, or undefined if nothing could be moved. */
  move(): Node | undefined {
    const node = this.random.pick(this.nodes)
    const target = this.random.pick(this.nodes.filter(candidate => candidate.directory))
    if (node.parent === undefined || node.stub) return undefined
    for (let at: Node | undefined = target; at; at = at.parent) if (at === node) return undefined
    const name = this.random.chance(0.5) ? node.name : this.name()
    if (this.nodes.some(other => other !== node && other.parent === target && other.name === name)) return undefined
    node.parent = target
    node.name = name
    return node
  }

  /** Adds a file or directory. */
  grow(): Node {
    const parent = this.random.pick(this.nodes.filter(node => node.directory && !node.stub))
    return this.add(this.name(), parent ?? this.root, this.random.chance(0.25), false)
  }

  /** Takes out something that holds nothing; undefined if that was not found. */
  shrink(): Node | undefined {
    const node = this.random.pick(this.nodes)
    if (node.parent === undefined || node.stub || this.nodes.some(other => other.parent === node)) return undefined
    // Another one of that path would have its record.
    if (!this.withRefs && node.use) return undefined
    this.nodes.splice(this.nodes.indexOf(node), 1)
    return node
  }

  /** Another mode or owner for a directory. */
  chmod(): Node | undefined {
    const node = this.random.pick(this.nodes)
    if (!node.directory || node.stub) return undefined
    node.access = anyAccess(this.random)
    return node
  }

  /** Whether somebody may list a directory: it and all above it. */
  isOpen(node: Node | undefined, who: Credentials): boolean {
    if (this.virtualRoot) return false
    for (let at = node; at; at = at.parent) if (!mayList(at.access, undefined, who)) return false
    return true
  }

  /** The directory at a path. */
  directoryAt(path: string): Node | undefined {
    return this.nodes.find(node => node.directory && this.components(node).join('/') === path)
  }

  /** A random entry that is changed where it is. */
  touch(): Node | undefined {
    const node = this.random.pick(this.nodes)
    if (node.parent === undefined || node.stub) return undefined
    node.size = this.random.below(1000)
    return node
  }

  components(node: Node): string[] {
    const own = node.parent === undefined && this.virtualRoot ? [] : [node.name]
    if (node.parent) return [...this.components(node.parent), ...own]
    return this.virtualRoot ? own : ['', 'home', ...own]
  }

  /** Opens some entries, closes the books of others. @returns what the store would say of them */
  use(): HotColumns {
    const changed = this.nodes.filter(node => !node.stub && this.random.chance(0.15))
    for (const node of changed) {
      const opened = NOW_SECONDS - this.random.below(this.random.chance(0.2) ? 80 * 86_400 : 500_000)
      node.use = this.random.chance(0.2)
        ? undefined
        : { runs: 1 + this.random.below(4), opened, heat: 1 + this.random.below(3) }
    }
    const keys = changed.map(node => this.keyOf(node))
    return {
      count: changed.length,
      volume: Uint32Array.from(keys, () => volumeKey(this.volume)),
      ref: {
        low: Uint32Array.from(keys, key => key.low),
        high: Uint32Array.from(keys, key => key.high),
        birth: Uint32Array.from(keys, key => key.birth),
      },
      runs: Uint32Array.from(changed, node => node.use?.runs ?? 0),
      opened: Uint32Array.from(changed, node => node.use?.opened ?? 0),
      heat: Float64Array.from(changed, node => node.use?.heat ?? 0),
    }
  }

  /** A list has no refs: its nodes are named by their paths. */
  private keyOf(node: Node): NodeRef {
    if (this.withRefs) return refOf(node)
    const components = this.components(node).map(part => Buffer.from(part))
    const name = Buffer.from(node.name)
    return pathRef(joinPath(childPrefix(components.slice(0, -1)), name), name)
  }

  /** @param viewer only what that user may see, without anybody's opens */
  entries(viewer?: Credentials): Entry[] {
    return this.nodes
      .filter(node => !node.stub && (viewer === undefined || this.isOpen(node.parent, viewer)))
      .map(node => ({
        components: this.components(node).map(part => Buffer.from(part)),
        kind: node.kind,
        size: node.directory ? Number.NaN : node.size,
        modified: { seconds: node.seconds, ticks: Number.isNaN(node.seconds) ? 0 : node.ticks },
        changed: { seconds: node.changed, ticks: 0 },
        attributes: node.attributes,
        root: this.view,
        volume: this.volume,
        use:
          viewer === undefined && node.use
            ? {
                runs: node.use.runs,
                opened: node.use.opened,
                hot: scoreOf(node.use, NOW_SECONDS, DEFAULT_SCORING),
              }
            : undefined,
      }))
  }
}

function refOf({ inode }: Node): NodeRef {
  return { low: inode, high: inode & 1, birth: 7 }
}

function columnsOf(nodes: readonly { node: Node; stub: boolean }[], withRefs: boolean): EntryColumns {
  const refs = nodes.map(({ node }) => refOf(node))
  const names = nodes.map(({ node }) => Buffer.from(node.name))
  const offsets = new Uint32Array(nodes.length + 1)
  names.forEach((name, i) => {
    offsets[i + 1] = offsets[i] + name.length
  })
  return {
    count: nodes.length,
    parent: Uint32Array.from(nodes, ({ node }) => node.parent?.id ?? 0),
    directory: Uint32Array.from(nodes, ({ node }) => node.id),
    kind: Uint8Array.from(nodes, ({ node, stub }) => node.kind | (stub ? KIND_STUB : 0)),
    nameOffsets: offsets,
    names: Buffer.concat(names),
    size: Float64Array.from(nodes, ({ node }) => (node.directory ? Number.NaN : node.size)),
    modified: {
      seconds: Float64Array.from(nodes, ({ node }) => node.seconds),
      ticks: Uint32Array.from(nodes, ({ node }) => (Number.isNaN(node.seconds) ? 0 : node.ticks)),
    },
    changed: {
      seconds: Float64Array.from(nodes, ({ node }) => node.changed),
      ticks: new Uint32Array(nodes.length),
    },
    attributes: Uint32Array.from(nodes, ({ node }) => node.attributes),
    access: {
      mode: Uint32Array.from(nodes, ({ node, stub }) => (node.directory && !stub ? node.access.mode : 0)),
      user: Uint32Array.from(nodes, ({ node, stub }) => (node.directory && !stub ? node.access.user : 0)),
      group: Uint32Array.from(nodes, ({ node, stub }) => (node.directory && !stub ? node.access.group : 0)),
    },
    ...(withRefs && {
      ref: {
        low: Uint32Array.from(refs, ref => ref.low),
        high: Uint32Array.from(refs, ref => ref.high),
        birth: Uint32Array.from(refs, ref => ref.birth),
      },
    }),
  }
}

/** Where each live row is: [segment, entry] or a delta slot. */
export function fill(
  folder: string,
  engine: Engine,
  random: Random,
  model: Model,
  rounds: number,
  afterRound: () => void,
): void {
  const { view } = model
  const { withRefs } = model
  const segmentOf = new Map<Node, { segment: number; entry: number } | { slot: number }>()
  const ops: EngineOp[] = [
    {
      op: 'createView',
      view,
      root: `r${view}`,
      volume: model.volume,
      prefix: Buffer.from(model.virtualRoot ? '' : '/home/'),
      virtualRoot: model.virtualRoot,
    },
    { op: 'activateView', view, root: `r${view}`, partial: false },
  ]
  let nextSlot = 1
  let nextSegment = view * 1000
  const segments: number[] = []
  const forget = (node: Node): void => {
    const place = segmentOf.get(node)
    if (place === undefined) return
    if ('slot' in place) ops.push({ op: 'remove', view, slots: Uint32Array.of(place.slot) })
    else ops.push({ op: 'kill', view, segment: place.segment, ranges: Uint32Array.of(place.entry, place.entry + 1) })
    segmentOf.delete(node)
  }
  const flush = (nodes: readonly Node[], origin: 'scan' | 'flush' | 'merge'): void => {
    const rows = new Map<Node, boolean>()
    for (const node of nodes) rows.set(node, node.stub)
    for (const node of nodes) for (let at = node.parent; at; at = at.parent) if (!rows.has(at)) rows.set(at, true)
    const sink = new MemorySink()
    const list = [...rows].map(([node, stub]) => ({ node, stub }))
    buildSegment(columnsOf(list, withRefs), sink)
    const file = join(folder, `${random.below(1e9)}-${nextSegment}.seg`)
    writeFileSync(file, sink.bytes())
    const segment = nextSegment++
    segments.push(segment)
    ops.push({ op: 'addSegment', view, segment, file, dead: new Uint8Array(0), origin })
    const reader = new MappedSegmentOpener().open(file)
    for (const node of nodes) {
      if (node.stub) continue
      const entry = node.directory
        ? reader.reader.findDir(node.id)
        : reader.reader.findChild(reader.reader.findDir(node.parent?.id ?? 0), Buffer.from(node.name))
      forget(node)
      segmentOf.set(node, { segment, entry })
    }
    reader.close()
  }
  const put = (node: Node): void => {
    const slot = nextSlot++
    ops.push({ op: 'put', view, slots: Uint32Array.of(slot), rows: columnsOf([{ node, stub: false }], withRefs) })
    forget(node)
    segmentOf.set(node, { slot })
  }
  const parts = 1 + random.below(3)
  const groups = Array.from({ length: parts }, () => [] as Node[])
  for (const node of model.nodes) groups[random.below(parts)].push(node)
  for (const group of groups) if (group.length > 0) flush(group, 'scan')
  engine.apply(ops.splice(0))
  for (let round = 0; round < rounds; round++) {
    if (random.chance(0.7)) ops.push({ op: 'hot', records: model.use() })
    for (let i = random.below(6); i > 0; i--) {
      const closed = random.chance(0.3) ? model.chmod() : undefined
      const node = closed ?? (random.chance(0.2) ? model.grow() : withRefs ? model.move() : model.touch())
      if (node) put(node)
      const gone = random.chance(0.2) ? model.shrink() : undefined
      if (gone) forget(gone)
    }
    engine.apply(ops.splice(0))
    if (random.chance(0.3)) {
      const inDelta = [...segmentOf].filter(([, place]) => 'slot' in place).map(([node]) => node)
      if (inDelta.length > 0) flush(inDelta, 'flush')
      engine.apply(ops.splice(0))
    }
    if (random.chance(0.15)) {
      const merged = segments.splice(0)
      flush(model.nodes, 'merge')
      for (const segment of merged) ops.push({ op: 'dropSegment', view, segment })
      engine.apply(ops.splice(0))
    }
    afterRound()
  }
}
