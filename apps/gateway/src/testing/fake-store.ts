import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Body,
  type Endpoints,
  type EventDetail,
  EventPublisher,
  type HitColumns,
  type Identity,
  type IncomingMessage,
  noHits,
  RouterServer,
  type SearchReply,
  type SearchRequest,
  type Stage,
  type StatusReply,
  socketEndpoints,
  unexpected,
} from '@hotpath/protocol'

export function testIdentity(stage: Stage): Identity {
  return { stage, instance: randomUUID(), pid: process.pid }
}

/** A private directory with the addresses of a system in it. */
export async function testDirectory(): Promise<{ path: string; endpoints: Endpoints; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'hotpath-gw-'))
  return { path, endpoints: socketEndpoints(path), remove: () => rm(path, { recursive: true, force: true }) }
}

/** The store's sockets with scripted answers: stands for the process on the other side of the wire. */
export class FakeStore {
  readonly #server: RouterServer
  readonly #events: EventPublisher
  /** Texts of all searches in the order of arrival, by message. */
  readonly messages: string[][] = []
  readonly rescans: string[] = []
  /** A `?` in a path: nothing of that name is indexed. */
  readonly forgotten: string[] = []
  readonly opens: { id: string; path: string }[] = []
  readonly identity = testIdentity('store')
  clockValue = 1
  /** Names that searches look in; a path is `/r/` and the name. */
  names: Uint8Array[] = []
  /** Called before each search message is answered. */
  beforeSearch: (message: IncomingMessage) => Promise<void> | void = () => undefined

  constructor(endpoints: Endpoints) {
    this.#server = new RouterServer({
      endpoint: endpoints['store-query'],
      identity: this.identity,
      onMessage: message => this.#answer(message),
    })
    this.#events = new EventPublisher({ endpoint: endpoints['store-events'], identity: this.identity, beatMs: 50 })
  }

  async start(): Promise<this> {
    await this.#server.start()
    await this.#events.start()
    return this
  }

  async stop(): Promise<void> {
    await this.#events.stop()
    await this.#server.stop()
  }

  publish(detail: Exclude<EventDetail, { kind: 'beat' }>): void {
    this.clockValue++
    if (detail.kind === 'changes') this.#events.publish({ kind: 'outdated' }, String(this.clockValue))
    this.#events.publish(detail, String(this.clockValue))
  }

  async #answer(message: IncomingMessage): Promise<Body | undefined> {
    const { body } = message
    switch (body.type) {
      case 'searchRequest':
        this.messages.push([textOf(body.value)])
        await this.beforeSearch(message)
        return { type: 'searchReply', value: this.#search(body.value) }
      case 'searchBatch':
        this.messages.push(body.value.requests.map(textOf))
        await this.beforeSearch(message)
        return { type: 'searchBatchReply', value: { replies: body.value.requests.map(one => this.#search(one)) } }
      case 'clockRequest':
        return { type: 'clockReply', value: { clock: String(this.clockValue), unwatchedRoots: ['list-1'] } }
      case 'statusRequest':
        return { type: 'statusReply', value: this.#status() }
      case 'statisticsRequest':
        return {
          type: 'statisticsReply',
          value: {
            clock: String(this.clockValue),
            types: [{ type: 'folder', count: 3, size: 0 }],
            sections: [{ section: 'fNAM', name: 'names (files)', group: 'names', bytes: 700 }],
            segments: [{ root: 'tree-1', entries: 3, bytes: 4096 }],
            changesPerMinute: [4, 5],
          },
        }
      case 'sizesRequest':
        return {
          type: 'sizesReply',
          value: {
            clock: String(this.clockValue),
            found: body.value.path.length === 0,
            path: body.value.path,
            count: 1,
            size: 7,
            children: [{ path: Buffer.from('/a'), nameStart: 1, directory: true, count: 0, size: 7 }],
            restCount: 0,
            restSize: 0,
          },
        }
      case 'openBatch': {
        const { count, ids, paths } = body.value
        this.opens.push({ id: Buffer.from(ids).toString('base64url'), path: Buffer.from(paths).toString() })
        const unknown = paths.includes(0x3f) ? count : 0
        return { type: 'openReply', value: { recorded: count - unknown, unknown, dropped: 0 } }
      }
      case 'forgetRequest': {
        const { id, path, all } = body.value
        const isKnown = !path.includes(0x3f)
        this.forgotten.push(all ? 'all' : `${Buffer.from(id).toString('base64url')}${Buffer.from(path).toString()}`)
        return { type: 'forgetReply', value: { forgotten: Number(isKnown), known: isKnown } }
      }
      case 'rescanRequest':
        this.rescans.push(body.value.root)
        return { type: 'rescanReply', value: { roots: ['tree-1'] } }
      default:
        throw unexpected(body.type)
    }
  }

  #search(request: SearchRequest): SearchReply {
    const text = textOf(request)
    const reply: SearchReply = {
      total: 0,
      fuzzyTotal: Number.NaN,
      clock: String(this.clockValue),
      fresh: { state: 'live', lagMs: 0, dirty: 0, dirtySubtrees: [] },
      partial: false,
      tookMs: 0.25,
      rows: noHits(),
      explain: request.explain ? '{"plan":"fake"}' : '',
    }
    const broken = request.text.indexOf(0x28)
    if (broken >= 0) {
      const error = { code: 'SYNTAX', message: 'the group is not closed', position: broken, expected: ')' }
      return { ...reply, error }
    }
    const found = this.names.filter(name => Buffer.from(name).includes(text))
    const page = request.countOnly ? [] : found.slice(request.offset, request.offset + request.limit)
    return { ...reply, total: found.length, rows: columnsOf(page) }
  }

  #status(): StatusReply {
    const fresh = { state: 'live', lagMs: 0, dirty: 0, dirtySubtrees: [] } as const
    return {
      version: 'fake',
      clock: String(this.clockValue),
      fresh,
      partial: false,
      stages: [],
      roots: [
        {
          root: { id: 'tree-1', kind: 'tree', path: '/r' },
          entries: this.names.length,
          directories: 1,
          segments: 2,
          indexBytes: 3,
          deltaRows: 4,
          fresh,
          mechanism: 'inotify',
          partial: false,
          reason: '',
          checked: 0,
          wrong: 0,
          repaired: 0,
          losses: 0,
        },
      ],
      entries: this.names.length,
      segments: 2,
      indexBytes: 3,
      walBytes: 5,
      storage: 'writable',
      storageReason: '',
      caches: [{ cache: 'results', hits: 7, misses: 2, entries: 3, bytes: 4096 }],
    }
  }
}

function textOf(request: SearchRequest): string {
  return Buffer.from(request.text).toString('utf8')
}

function columnsOf(names: readonly Uint8Array[]): HitColumns {
  const paths = names.map(name => Buffer.concat([Buffer.from('/r/'), name]))
  const pathOffsets = new Uint32Array(names.length + 1)
  for (const [row, path] of paths.entries()) pathOffsets[row + 1] = pathOffsets[row]! + path.length
  const ids = new Uint8Array(names.length * 24)
  for (const row of names.keys()) ids[row * 24] = row + 1
  return {
    count: names.length,
    ids,
    pathOffsets,
    paths: new Uint8Array(Buffer.concat(paths)),
    nameStart: new Uint32Array(names.length).fill(3),
    kind: new Uint8Array(names.length),
    size: new Float64Array(names.length).fill(42),
    modified: {
      seconds: new Float64Array(names.length).fill(1_714_557_600),
      ticks: new Uint32Array(names.length).fill(1_234_567),
    },
  }
}
