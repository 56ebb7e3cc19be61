import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEFAULT_SCORING, pathRef, scoreOf, type Use, volumeKey } from '@hotpath/hot-score'
import { buildSegment, MemorySink } from '@hotpath/index-format'
import { loadWasm } from '@hotpath/kernels'
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
import {
  compareEntries,
  type Entry,
  matchesNaively,
  naiveContext,
  type Predicate,
  parseQuery,
  type QueryError,
  relevanceTerms,
  SORT_COLUMNS,
  type Sort,
} from '@hotpath/query'
import {
  QUERY_KINDS,
  type QueryKind,
  type QueryVocabulary,
  type Random,
  randomOf,
  randomQueries,
} from '@hotpath/query/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DiskDirectories } from './disk-directories.js'
import { Engine, type SearchOptions, type SearchResult } from './engine.js'
import { KernelSegmentOpener } from './kernel-segment-opener.js'
import { childPrefix, joinPath } from './path-text.js'
import { MappedSegmentOpener } from './segment-opener.js'

const NOW_MS = Date.UTC(2026, 5, 15, 12)
const NOW_SECONDS = NOW_MS / 1000
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))
const LONG = process.env.SOAK === '1'

/** Queries that ask about more than one entry. */
const FOLLOWED_KINDS: readonly QueryKind[] = [
  'child',
  'childCount',
  'childCount',
  'duplicate',
  'duplicate',
  'empty',
  'root',
]

/** Queries that the sort by extension answers in different ways. */
const EXTENSION_KINDS: readonly QueryKind[] = [
  'word',
  'wildcard',
  'endwith',
  'ext',
  'ext',
  'wholeName',
  'case',
  'regex',
  'length',
  'size',
  'time',
  'type',
  'under',
]

/** A directory or file of the model. */
interface Node {
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

const OPEN: Access = { mode: 0o755, user: 0, group: 0 }
/** Users who ask beside the one whose index it is. */
const VIEWERS: readonly Credentials[] = [
  { user: 1, groups: [10] },
  { user: 2, groups: [20, 30] },
]

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
class Model {
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

/** A piece of a name with a mistake or two in it, its initials, or some of its letters. */
function mistaken(random: Random, { paths }: QueryVocabulary): string {
  const name =
    random
      .pick(paths)
      .split('/')
      .at(-1)
      ?.replace(/["*?\\]/g, '') || 'main'
  const letters = [...name.slice(0, 4 + random.below(12))]
  for (let edits = 1 + random.below(2); edits > 0; edits--) {
    const at = random.below(letters.length)
    const kind = random.below(5)
    if (kind === 0) letters.splice(at, 1)
    else if (kind === 1) letters.splice(at, 0, random.pick(['a', 'x', 'é']))
    else if (kind === 2) letters[at] = random.pick(['e', '7', 'я'])
    else if (kind === 3) letters.splice(at, 2, ...letters.slice(at, at + 2).reverse())
    else
      return `"${
        name
          .split(/[^a-z0-9]/i)
          .map(word => word.slice(0, 1 + random.below(3)))
          .join('') || 'mgo'
      }"`
  }
  return `${random.pick(['', 'fuzzy:'])}"${letters.join('')}"`
}

function anySort(random: Random): Sort {
  return {
    column: random.chance(0.5) ? random.pick(['hot', 'hot', 'opened'] as const) : random.pick(SORT_COLUMNS),
    descending: random.chance(0.5),
  }
}

/** A search as it can be asked again. */
interface Ask extends Pick<SearchOptions, 'text' | 'match' | 'caseMode' | 'fuzzy' | 'limit' | 'offset'> {
  readonly sort: Sort
}

/** Searches that are asked again in each check. */
const REPEATED = 6
/** What each engine was asked. */
const asked = new WeakMap<Engine, Ask[]>()

function anyWindow(random: Random): Pick<Ask, 'limit' | 'offset'> {
  return { limit: random.pick([1, 3, 10, 1000]), offset: random.pick([0, 0, 0, 2, 7]) }
}

/** Totals, and the paths of the hits, of an answer. */
function answerOf(result: SearchResult | QueryError) {
  if ('kind' in result) return result
  const paths = result.hits.map(hit => Buffer.from(joinPath(hit.view.childPrefixOf(hit.parentId), hit.name)).toString())
  return { total: result.total, fuzzyTotal: result.fuzzyTotal, paths }
}

function byExtension(random: Random): Sort {
  return { column: 'ext', descending: random.chance(0.5) }
}

describe('Engine', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'hotpath-engine-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  /** Where each live row is: [segment, entry] or a delta slot. */
  function fill(engine: Engine, random: Random, model: Model, rounds: number, afterRound: () => void): void {
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

  /** Compares answers with those of the naive matcher: a query of each kind, and some that are mixed. */
  function check(
    engine: Engine,
    models: readonly Model[],
    seed: number,
    random: Random,
    kinds: readonly QueryKind[],
    mixtures: number,
    sortOf: (random: Random) => Sort = anySort,
    viewer?: Credentials,
  ): void {
    const entries = models.flatMap(model => model.entries(viewer))
    const context = naiveContext(entries)
    const vocabulary: QueryVocabulary = {
      paths: entries.map(entry =>
        Buffer.concat(entry.components.flatMap((part, i) => (i > 0 ? [Buffer.from('/'), part] : [part]))).toString(),
      ),
      sizes: entries.map(entry => entry.size).filter(size => !Number.isNaN(size)),
      seconds: entries.map(entry => entry.modified?.seconds ?? 0).filter(seconds => !Number.isNaN(seconds)),
      volumes: models.map(model => model.volume),
      opened: entries.flatMap(entry => (entry.use ? [entry.use.opened] : [])),
    }
    while (!engine.settle(random.below(2)));
    if (viewer === undefined) expect(engine.entryCount(), `seed ${seed}`).toBe(entries.length)
    const show = (entry: Entry) => entry.components.map(part => Buffer.from(part).toString()).join('/')
    const sameShown = new Map<string, number>()
    for (const entry of entries) sameShown.set(show(entry), (sameShown.get(show(entry)) ?? 0) + 1)
    const mixed = randomQueries(seed, vocabulary)
    const texts = [
      '',
      ...kinds.map(kind => randomQueries(random.below(2 ** 31), vocabulary, kind)()),
      ...Array.from({ length: mixtures }, mixed),
      ...Array.from({ length: Math.ceil(mixtures / 3) }, () => mistaken(random, vocabulary)),
    ]
    const earlier = asked.get(engine) ?? []
    asked.set(engine, earlier)
    const fresh = texts.map((written): Ask => {
      const text = random.chance(0.1) ? `${written} count:${random.below(12)}` : written
      const match = random.pick(['name', 'path', 'auto'] as const)
      const caseMode = random.pick(['ignore', 'ignore', 'smart', 'match'] as const)
      const fuzzy = random.chance(0.3)
      return { text, match, caseMode, fuzzy, sort: sortOf(random), ...anyWindow(random) }
    })
    // Asked before, the same or another page of it, and as somebody types.
    const again = Array.from({ length: earlier.length > 0 ? REPEATED : 0 }, (): Ask => {
      const ask = random.pick(earlier)
      return random.chance(0.7) ? ask : { ...ask, ...anyWindow(random) }
    })
    const typed = random.pick(fresh)
    const asks = [...again, ...fresh]
    for (let length = Math.max(1, typed.text.length - 3); length < typed.text.length; length++) {
      asks.push({ ...typed, text: typed.text.slice(0, length) })
    }
    if (asks.length > again.length + fresh.length) asks.push(typed)
    for (const ask of asks) {
      const { text, match, caseMode, fuzzy, sort, limit, offset } = ask
      const query = parseQuery(text, { now: NOW_MS, match, caseMode, fuzzy })
      if (query.kind !== 'query') {
        // Names like `a..` make texts that are none.
        const asked = { text, limit: 1, offset: 0, sort, match, caseMode, fuzzy, nowMs: NOW_MS, viewer }
        expect(engine.search(asked)).toEqual(query)
        continue
      }
      // What is found out between searches changes none of them.
      if (random.chance(0.3)) while (!engine.settle(random.below(2)));
      const sorted = (matching: Entry[], predicate: Predicate): Entry[] => {
        const terms = relevanceTerms(predicate)
        return matching.sort((a, b) => compareEntries(sort, terms, a, b))
      }
      const { tolerant, maxCount = Number.POSITIVE_INFINITY } = query
      const exact = entries.filter(entry => matchesNaively(query.predicate, entry, context))
      const expected = sorted(exact, query.predicate).slice(0, maxCount)
      const others = tolerant
        ? sorted(
            entries.filter(entry => !exact.includes(entry) && matchesNaively(tolerant, entry, context)),
            tolerant,
          ).slice(0, maxCount - expected.length)
        : []
      earlier.push(ask)
      const label = `seed ${seed} user ${viewer?.user} query ${JSON.stringify(text)} match ${match} case ${caseMode} sort ${sort.column} ${sort.descending} fuzzy ${fuzzy}`
      const asked = { text, limit, offset, sort, match, caseMode, fuzzy, nowMs: NOW_MS, viewer }
      if (viewer !== undefined && JSON.stringify([query.predicate, query.tolerant]).includes('"duplicate"')) {
        expect(() => engine.search(asked), label).toThrow('for another user')
        continue
      }
      const found = engine.search(asked)
      if ('kind' in found) throw new Error(`${label}: ${found.message}`)
      if (random.chance(0.3)) {
        const anew = engine.search({ ...asked, noCache: true })
        expect(answerOf(found), label).toEqual(answerOf(anew))
      }
      expect(found.total, label).toBe(expected.length)
      const page = [...expected, ...others].slice(offset, offset + limit)
      expect(found.hits.map(show), label).toEqual(page.map(show))
      const room = Math.min(limit, Math.max(0, maxCount - offset))
      const looked = tolerant && expected.slice(offset, offset + limit).length < room
      expect(found.fuzzyTotal, label).toBe(looked ? others.length : undefined)
      expect(
        found.hits.map(hit => hit.fuzzy === true),
        label,
      ).toEqual(page.map(entry => others.includes(entry)))
      // Two lists may hold the same path: which of the two comes first is open.
      const isOne = (entry: Entry) => sameShown.get(show(entry)) === 1
      expect(
        found.hits.filter(isOne).map(hit => hit.use),
        label,
      ).toEqual(page.filter(isOne).map(entry => entry.use))
      const paths = found.hits.map(hit => joinPath(hit.view.childPrefixOf(hit.parentId), hit.name))
      expect(
        paths.map(path => Buffer.from(path).toString() || '/'),
        label,
      ).toEqual(found.hits.map(hit => show(hit) || '/'))
    }
  }

  const openers = { plain: () => new MappedSegmentOpener(), kernels: () => new KernelSegmentOpener(loadWasm()) }
  /** The disk as the models are: `/home` above them is open to all. */
  function diskOf(models: readonly Model[]): DiskDirectories {
    return {
      look(path) {
        const text = Buffer.from(path).toString()
        if (text === '/' || text === '/home') return { ...OPEN, acl: undefined }
        const node = models.map(model => model.directoryAt(text)).find(found => found !== undefined)
        return node && { ...node.access, acl: undefined }
      },
      acl: () => 'none',
      realPath: path => path,
    }
  }
  function newEngine(opener: keyof typeof openers, disk?: DiskDirectories): Engine {
    return new Engine(
      openers[opener](),
      () => {},
      (_v, _s, error) => {
        throw error
      },
      DEFAULT_SCORING,
      undefined,
      disk,
    )
  }

  it.each([
    [false, 'plain'],
    [true, 'plain'],
    [false, 'kernels'],
    [true, 'kernels'],
  ] as const)('answers like the naive matcher, in every order (virtual root: %s, %s)', (virtualRoot, opener) => {
    for (let round = 0; round < (LONG ? 300 : 6); round++) {
      const seed = SEED + round
      const random = randomOf(seed)
      const models = Array.from({ length: random.chance(0.3) ? 2 : 1 }, (_, i) => {
        const size = 5 + random.below(round % 4 === 0 ? 400 : 80)
        return new Model(random, size, i === 0 ? virtualRoot : random.chance(0.5), i + 1)
      })
      const engine = newEngine(opener)
      const kept: Model[] = []
      for (const model of models) {
        kept.push(model)
        // What is kept from search to search has to follow the changes.
        fill(engine, random, model, random.below(8), () => {
          if (random.chance(0.4)) check(engine, kept, seed, random, FOLLOWED_KINDS, 2)
        })
      }
      check(engine, models, seed, random, QUERY_KINDS, 25)
      engine.close()
    }
  })

  it.each(['plain', 'kernels'] as const)(
    'answers other users as if what they may not list were not there (%s)',
    opener => {
      let seen = 0
      let hidden = 0
      for (let round = 0; round < (LONG ? 300 : 3); round++) {
        const seed = SEED + round
        const random = randomOf(seed)
        const models = [new Model(random, 20 + random.below(150), false, 1)]
        // What a list holds is on no disk that could be asked.
        if (random.chance(0.2)) models.push(new Model(random, 20, true, 2))
        const engine = newEngine(opener, diskOf(models))
        const kept: Model[] = []
        for (const model of models) {
          kept.push(model)
          fill(engine, random, model, 3 + random.below(8), () => {
            for (const viewer of VIEWERS) check(engine, kept, seed, random, ['word'], 1, anySort, viewer)
          })
        }
        for (const viewer of VIEWERS) {
          check(engine, models, seed, random, QUERY_KINDS, 12, anySort, viewer)
          seen += models[0]!.entries(viewer).length
          hidden += models[0]!.entries().length - models[0]!.entries(viewer).length
        }
        check(engine, models, seed, random, ['word', 'runs'], 3)
        engine.close()
      }
      expect(Math.min(seen, hidden)).toBeGreaterThan(0)
    },
  )

  it.each(['plain', 'kernels'] as const)('answers like the naive matcher when sorted by extension (%s)', opener => {
    for (let round = 0; round < (LONG ? 300 : 4); round++) {
      const seed = SEED + round
      const random = randomOf(seed)
      const model = new Model(random, 100 + random.below(400), random.chance(0.5), 1)
      const engine = newEngine(opener)
      fill(engine, random, model, 2 + random.below(8), () => {
        if (random.chance(0.2)) check(engine, [model], seed, random, EXTENSION_KINDS, 2, byExtension)
      })
      check(engine, [model], seed, random, EXTENSION_KINDS, 10, byExtension)
      engine.close()
    }
  })
})
