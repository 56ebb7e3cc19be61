import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable, Writable } from 'node:stream'
import {
  LiveChange,
  QueryError,
  type SearchParams,
  SearchResult,
  type Watch,
  type WatchHandlers,
  type WatchParams,
} from '@hotpath/client'
import { ListParser } from '@hotpath/file-list'
import { KIND_STUB, Kind, type TimeColumn, UnavailableError } from '@hotpath/model'
import {
  ControlServer,
  encodeEnvelope,
  type HitColumns,
  noHits,
  type SearchError,
  type SearchReply,
  type StatusReply,
  searchRequest,
  socketEndpoints,
  TapHub,
} from '@hotpath/protocol'
import { resolveConfig, stageDirectories } from '@hotpath/service'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { CommandContext } from './context.js'
import type { IndexClient } from './index-client.js'
import { runCommand } from './program.js'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hotpath-cli-'))
})

afterEach(() => rmSync(directory, { recursive: true, force: true }))

interface Row {
  readonly path: string | Uint8Array
  readonly kind?: Kind
  readonly size?: number
  readonly modified?: readonly [seconds: number, ticks: number]
}

function time(rows: readonly Row[]): TimeColumn {
  return {
    seconds: Float64Array.from(rows, row => row.modified?.[0] ?? Number.NaN),
    ticks: Uint32Array.from(rows, row => row.modified?.[1] ?? 0),
  }
}

function page(rows: readonly Row[]): HitColumns {
  const paths = rows.map(({ path }) => Buffer.from(path))
  const offsets = [0]
  for (const path of paths) offsets.push(offsets.at(-1)! + path.length)
  return {
    count: rows.length,
    ids: Uint8Array.from({ length: rows.length * 24 }, (_, i) => i),
    pathOffsets: Uint32Array.from(offsets),
    paths: Buffer.concat(paths),
    nameStart: Uint32Array.from(paths, path => path.lastIndexOf(0x2f) + 1),
    kind: Uint8Array.from(rows, row => row.kind ?? Kind.file),
    size: Float64Array.from(rows, row => row.size ?? Number.NaN),
    modified: time(rows),
  }
}

const fresh = { state: 'live', lagMs: 0, dirty: 0, dirtySubtrees: [] } as const

/** An index of these rows: every query finds all of them. */
class FakeIndex implements IndexClient {
  readonly requests: SearchParams[] = []
  failure: SearchError | undefined
  readonly calls: string[] = []
  closed = false
  constructor(
    private readonly rows: readonly Row[],
    private readonly reply: Partial<SearchReply> = {},
    private readonly maxRows = Number.POSITIVE_INFINITY,
  ) {}

  async search(request: SearchParams): Promise<SearchResult> {
    this.requests.push(request)
    if (this.failure !== undefined) throw new QueryError(this.failure)
    const { offset = 0, limit = 100 } = request
    const rows = this.rows.slice(offset, offset + Math.min(limit, this.maxRows))
    const reply = {
      total: this.rows.length,
      fuzzyTotal: Number.NaN,
      clock: 'c1',
      fresh,
      partial: false,
      tookMs: 0.12345,
      rows: request.countOnly ? noHits() : page(rows),
      explain: request.explain ? '{"plan":"\\u009b"}' : '',
      ...this.reply,
    }
    return new SearchResult(reply, offset)
  }

  /** What a watch does after the hits. */
  script: (handlers: WatchHandlers) => Promise<void> = async () => {}
  watching: Watch | undefined

  async watch(params: WatchParams, handlers: WatchHandlers): Promise<Watch> {
    await handlers.onHits(await this.search(params))
    let close = () => {}
    const closed = new Promise<void>(resolve => {
      close = resolve
    })
    const ended = this.script(handlers).then(() => closed)
    this.watching = { ended, close }
    return this.watching
  }

  async clock() {
    this.calls.push('clock')
    return { clock: 'now', unwatchedRoots: [] }
  }

  async status(): Promise<StatusReply> {
    const scan = {
      root: 'r',
      epoch: 1,
      entries: 10,
      directories: 2,
      errors: 0,
      currentDirectory: Buffer.from('/a\u001b[0m'),
      knownTotal: Number.NaN,
    }
    return {
      version: '0.1.0',
      clock: 'c1',
      fresh: { ...fresh, dirty: 7, dirtySubtrees: [Buffer.from('/home/\u001bdirty')] },
      partial: true,
      stages: [
        { stage: 'store', instance: 'i', pid: 5, state: 'ready', uptimeMs: 5_400, memoryBytes: 5e7, restarts: 1 },
      ],
      roots: [
        {
          root: { id: 'r', kind: 'tree', path: '/home/\u0007me' },
          entries: 1_234,
          directories: 5,
          segments: 1,
          indexBytes: 1_000,
          deltaRows: 0,
          fresh,
          mechanism: 'fanotify',
          partial: true,
          scan,
          reason: 'first scan',
          checked: 98_765,
          wrong: 3,
          repaired: 2,
          losses: 4,
        },
      ],
      entries: 1_234,
      segments: 1,
      indexBytes: 30_000,
      walBytes: 10,
      storage: 'full',
      storageReason: 'no room\u0007',
    }
  }

  async rescan(root = '') {
    this.calls.push(`rescan ${root}`)
    return root === '' ? ['r', 's'] : [root]
  }

  async recordOpen(entry: { id: string } | { path: string | Uint8Array }) {
    this.calls.push(`open ${'path' in entry ? entry.path : entry.id}`)
    return 'path' in entry && this.rows.some(row => row.path === entry.path)
  }

  async forgetOpens(what: { id: string } | { path: string | Uint8Array } | 'all') {
    this.calls.push(`forget ${what === 'all' ? what : 'path' in what ? what.path : what.id}`)
    const isKnown = what === 'all' || ('path' in what && this.rows.some(row => row.path === what.path))
    return isKnown ? 1 : undefined
  }

  async importList(path: string) {
    this.calls.push(`import ${path}`)
    return { id: 'x', kind: 'list', path } as const
  }

  async close() {
    this.closed = true
  }
}

function failing(error: SearchError): FakeIndex {
  const index = new FakeIndex([])
  index.failure = error
  return index
}

function collect(): { stream: Writable; bytes(): Buffer } {
  const chunks: Buffer[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(Buffer.from(chunk))
      done()
    },
  })
  return { stream, bytes: () => Buffer.concat(chunks) }
}

async function hotpath(argv: string[], index: FakeIndex | Error, more: Partial<CommandContext> = {}) {
  const out = collect()
  const err = collect()
  const code = await runCommand(argv, {
    out: out.stream,
    err: err.stream,
    in: Readable.from([]),
    isTerminal: false,
    workingDirectory: directory,
    interrupted: new AbortController().signal,
    async configure(dataDir) {
      const flags = new Map([['dataDir', [dataDir ?? join(directory, 'data')]]] as const)
      return (await resolveConfig({ flags, environment: {}, homeDirectory: directory })).config
    },
    async connect() {
      if (index instanceof Error) throw index
      return index
    },
    ...more,
  })
  if (index instanceof FakeIndex && index.requests.length + index.calls.length > 0) expect(index.closed).toBe(true)
  return { code, out: out.bytes().toString('latin1'), err: err.bytes().toString(), outBytes: out.bytes() }
}

const hostile: Row[] = [
  { path: '/a/plain.txt', size: 5, modified: [1_700_000_000, 1_234_567] },
  { path: '/a/\u001b]0;title\u0007\nnew"line, x', size: 0 },
  { path: Buffer.from('/a/\xff\xfe.bin', 'latin1'), modified: [-1, 0] },
  { path: '/a/\u202egnp.exe\u009b', kind: Kind.symlink },
  { path: '/', kind: Kind.directory, size: 4_096 },
]

test('lines are byte-exact for programs and escaped for terminals', async () => {
  const plain = await hotpath(['search', 'x'], new FakeIndex(hostile))
  const exact = Buffer.concat(hostile.flatMap(({ path }) => [Buffer.from(path), Buffer.from('\n')]))
  expect(plain.outBytes).toEqual(exact)
  expect(plain).toMatchObject({ code: 0, err: '' })
  const shown = await hotpath(['search', 'x'], new FakeIndex(hostile), { isTerminal: true })
  expect(shown.outBytes.toString()).toBe(
    [
      '/a/plain.txt',
      '/a/\\x1b]0;title\\x07\\x0anew"line, x',
      '/a/\\xff\\xfe.bin',
      '/a/\\u{202e}gnp.exe\\x9b',
      '/\n',
    ].join('\n'),
  )
})

test('-0 is byte-exact on a terminal too', async () => {
  const { outBytes } = await hotpath(['search', 'x', '-0'], new FakeIndex(hostile), { isTerminal: true })
  expect(outBytes).toEqual(Buffer.concat(hostile.flatMap(({ path }) => [Buffer.from(path), Buffer.from([0])])))
})

test('--json is one object with the bytes of what is not text', async () => {
  const { outBytes } = await hotpath(['search', 'x', '--json', '--explain'], new FakeIndex(hostile))
  const text = outBytes.toString()
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
  const reply = JSON.parse(text)
  expect(reply).toMatchObject({
    total: 5,
    fuzzyTotal: null,
    clock: 'c1',
    fresh,
    partial: false,
    tookMs: 0.123,
    explain: { plan: '\u009b' },
  })
  expect(reply.hits.map((hit: { path: string }) => hit.path)).toEqual(
    hostile.map(({ path }) => (typeof path === 'string' ? path : '/a/\ufffd\ufffd.bin')),
  )
  expect(reply.hits[0]).toEqual({
    id: Buffer.from(Array.from({ length: 24 }, (_, i) => i)).toString('base64url'),
    path: '/a/plain.txt',
    name: 'plain.txt',
    dir: '/a',
    type: 'file',
    size: 5,
    modified: '2023-11-14T22:13:20.1234567Z',
    created: null,
    hot: 0,
    opens: 0,
    opened: null,
    fuzzy: false,
  })
  expect(Buffer.from(reply.hits[2].pathBytes, 'base64')).toEqual(hostile[2]!.path)
  expect(reply.hits[2].modified).toBe('1969-12-31T23:59:59Z')
  expect(reply.hits[4]).toMatchObject({ path: '/', name: '', dir: '/', type: 'directory' })
  const empty = await hotpath(['search', 'x', '--json'], new FakeIndex([]))
  expect(JSON.parse(empty.out)).toMatchObject({ total: 0, hits: [] })
})

test('--ndjson is one object a line', async () => {
  const { outBytes } = await hotpath(['search', 'x', '--ndjson'], new FakeIndex(hostile))
  const lines = outBytes.toString().trimEnd().split('\n')
  expect(lines.map(line => JSON.parse(line).name)).toHaveLength(hostile.length)
})

/** What a file list says, as the scanner would read it. */
function readList(bytes: Buffer) {
  const parser = new ListParser({ format: 'auto' })
  const batches = [...parser.push(bytes), ...parser.end()]
  const names: Buffer[] = []
  for (const batch of batches) {
    for (let i = 0; i < batch.count; i++) {
      if (batch.kind[i]! & KIND_STUB) continue
      names.push(Buffer.from(batch.names.subarray(batch.nameOffsets[i], batch.nameOffsets[i + 1])))
    }
  }
  return { summary: parser.summary, names, sizes: batches.flatMap(batch => [...batch.size]) }
}

test('--efu and --csv can be imported again, exactly', async () => {
  const rows = hostile.slice(0, 4)
  for (const flag of ['--efu', '--csv']) {
    const { outBytes } = await hotpath(['search', 'x', flag], new FakeIndex(rows))
    const { names, summary, sizes } = readList(outBytes)
    expect(summary).toMatchObject({ format: 'efu', rows: 4, badRows: 0 })
    expect(names).toEqual(rows.map(({ path }) => Buffer.from(path).subarray(3)))
    expect(sizes).toContain(5)
  }
  const { out } = await hotpath(['search', 'x', '--efu'], new FakeIndex(hostile))
  expect(out).toContain('"/a/plain.txt",5,133444736001234567,,')
  expect(out).toContain('\r\n"/",,,,16\r\n')
})

test('--efu and --csv on a terminal are escaped, a line a hit', async () => {
  for (const flag of ['--efu', '--csv']) {
    const { outBytes } = await hotpath(['search', 'x', flag], new FakeIndex(hostile), { isTerminal: true })
    const text = outBytes.toString()
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e\ufffd]/)
    expect(text.trimEnd().split('\n')).toHaveLength(hostile.length + 1)
    expect(text).toContain('"/a/\\x1b]0;title\\x07\\x0anew""line, x"')
  }
})

test('flags become a request', async () => {
  const index = new FakeIndex(hostile)
  const argv = ['search', 'a b', '-n', '7', '--offset', '2', '--sort', 'size-desc', '--under', 'sub', '--wait-clock']
  await hotpath(argv, index)
  expect(index.calls).toEqual(['clock'])
  expect(index.requests[0]).toMatchObject({
    query: 'a b',
    limit: 7,
    offset: 2,
    sort: 'size',
    descending: true,
    under: join(directory, 'sub'),
    minClock: 'now',
    countOnly: false,
    explain: false,
  })
})

test('open counts an open of a path, and says if there is none', async () => {
  const path = join(directory, 'notes.txt')
  const index = new FakeIndex([{ path }, { path: 'C:\\\\notes.txt' }])
  expect(await hotpath(['open', 'notes.txt'], index)).toMatchObject({ code: 0, out: '', err: '' })
  expect(await hotpath(['open', path], index)).toMatchObject({ code: 0 })
  expect(await hotpath(['open', 'C:\\\\notes.txt'], index)).toMatchObject({ code: 0 })
  const missing = await hotpath(['open', 'other'], index)
  expect(missing).toMatchObject({ code: 1, err: `hotpath: "${join(directory, 'other')}" is not indexed\n` })
  expect(index.calls).toEqual([
    `open ${path}`,
    `open ${path}`,
    'open C:\\\\notes.txt',
    `open ${join(directory, 'other')}`,
  ])
})

test('forget needs a path or --all, and says if there is none', async () => {
  const path = join(directory, 'notes.txt')
  const index = new FakeIndex([{ path }])
  expect(await hotpath(['forget', 'notes.txt'], index)).toMatchObject({ code: 0, out: '', err: '' })
  const missing = await hotpath(['forget', 'other'], index)
  expect(missing).toMatchObject({ code: 1, err: expect.stringContaining('is not indexed') })
  const all = await hotpath(['forget', '--all'], index)
  expect(all).toMatchObject({ code: 0, err: 'hotpath: forgot what was known of 1 files and directories\n' })
  const none = await hotpath(['forget'], index)
  expect(none).toMatchObject({ code: 2, err: expect.stringContaining('either a path or --all') })
  expect(await hotpath(['forget', 'notes.txt', '--all'], index)).toMatchObject({ code: 2 })
  expect(index.calls).toEqual([`forget ${path}`, `forget ${join(directory, 'other')}`, 'forget all'])
})

test('pages are asked for until all is there, or the limit', async () => {
  const rows = Array.from({ length: 10 }, (_, i) => ({ path: `/${i}` }))
  const index = new FakeIndex(rows, {}, 3)
  expect((await hotpath(['search', ''], index)).out).toBe(rows.map(({ path }) => `${path}\n`).join(''))
  expect(index.requests.map(({ offset }) => offset)).toEqual([0, 3, 6, 9])
  const some = new FakeIndex(rows, {}, 3)
  expect((await hotpath(['search', '', '-n', '4', '--offset', '5'], some)).out).toBe('/5\n/6\n/7\n/8\n')
  const none = new FakeIndex(rows)
  expect(await hotpath(['search', '', '-n', '0'], none)).toMatchObject({ code: 0, out: '' })
})

test('a reader that leaves ends the work', async () => {
  const out = new PassThrough({ highWaterMark: 16 })
  out.once('data', () => out.destroy(new Error('EPIPE')))
  const rows = Array.from({ length: 1_000 }, (_, i) => ({ path: `/${'x'.repeat(500)}${i}` }))
  const index = new FakeIndex(rows, { total: 1e9 }, 500)
  const { code } = await hotpath(['search', ''], index, { out })
  expect(code).toBe(0)
  expect(index.requests.length).toBeLessThanOrEqual(3)
})

test('exit codes: 0 found, 1 nothing found, 2 error; data only on standard output', async () => {
  expect(await hotpath(['search', 'x', '--count'], new FakeIndex(hostile))).toMatchObject({
    code: 0,
    out: '5\n',
    err: '',
  })
  expect(await hotpath(['search', 'x', '--count'], new FakeIndex([]))).toMatchObject({ code: 1, out: '0\n', err: '' })
  expect(await hotpath(['search', 'x'], new FakeIndex([]))).toMatchObject({ code: 1, out: '', err: '' })
  const gone = await hotpath(['search', 'x'], new UnavailableError('nothing runs'))
  expect(gone).toMatchObject({ code: 2, out: '', err: 'hotpath: nothing runs\n' })
  for (const argv of [
    [],
    ['nonsense'],
    ['search'],
    ['search', 'x', '--nonsense'],
    ['search', 'x', '-n', '-1'],
    ['search', 'x', '-n', '1e3'],
    ['search', 'x', '--sort', 'heat'],
    ['search', 'x', '--sort', 'size-asc'],
    ['search', 'x', '--json', '--csv'],
    ['config', '--port', 'x'],
  ]) {
    const { code, out, err } = await hotpath(argv, new FakeIndex([]))
    expect({ argv, code, out }).toEqual({ argv, code: 2, out: '' })
    expect(err).not.toBe('')
  }
})

test('a query that cannot be read is shown with the place', async () => {
  const error = { code: 'SYNTAX', message: 'there is no size "zz"', position: 9, expected: 'a number' }
  const { code, err } = await hotpath(['search', 'ä\u001b size:zz'], failing(error))
  expect(code).toBe(2)
  const lines = err.split('\n')
  expect(lines[0]).toBe('hotpath: there is no size "zz"; expected a number')
  expect(lines[1]).toBe('hotpath:   ä\\x1b size:zz')
  expect(lines[2]!.indexOf('^')).toBe(lines[1]!.indexOf('zz'))
})

test('a partial answer is an answer, with a word to the person', async () => {
  const { code, out, err } = await hotpath(['search', 'x', '-n', '1'], new FakeIndex(hostile, { partial: true }))
  expect({ code, out }).toEqual({ code: 0, out: '/a/plain.txt\n' })
  expect(err).toContain('a part of the index is missing')
})

test('explain goes to standard error, with nothing that a terminal could obey', async () => {
  const { out, err } = await hotpath(['search', 'x', '-n', '1', '--explain'], new FakeIndex(hostile))
  expect(out).toBe('/a/plain.txt\n')
  expect(err).toBe('{\n  "plan": "\\x9b"\n}\n')
})

test('status for people and for programs', async () => {
  const { out, code } = await hotpath(['status'], new FakeIndex([]))
  expect(code).toBe(0)
  expect(out).toContain('1,234 entries in 1 segments')
  expect(out).toContain(
    '\nthe disk is full: searches go on, changes are kept back until there is room (no room\\x07)\n',
  )
  expect(out).toContain('/home/\\x07me: 1,234 entries, live (fanotify), not complete, first scan, scanning: 10 entries')
  expect(out).toContain('7 directories to read again\n  to be read again: /home/\\x1bdirty\n')
  expect(out).toContain(', 98,765 entries checked, 3 were wrong, 2 repaired, events lost 4 times\n')
  expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/)
  expect(JSON.parse((await hotpath(['status', '--json'], new FakeIndex([]))).out)).toMatchObject({
    entries: 1_234,
    fresh: { dirty: 7, dirtySubtrees: ['/home/\u001bdirty'] },
  })
})

test('rescan takes roots by path', async () => {
  const index = new FakeIndex([])
  expect((await hotpath(['rescan'], index)).code).toBe(0)
  expect((await hotpath(['rescan', '/home/\u0007me'], index)).code).toBe(0)
  expect(index.calls).toEqual(['rescan ', 'rescan r'])
  expect((await hotpath(['rescan', '/other'], index)).code).toBe(2)
})

test('import takes a file, or keeps what comes through a pipe', async () => {
  const file = join(directory, 'l.efu')
  writeFileSync(file, 'Filename\n')
  const index = new FakeIndex([])
  expect((await hotpath(['import', 'l.efu'], index)).code).toBe(0)
  expect(index.calls).toEqual([`import ${file}`])
  expect((await hotpath(['import', 'missing.efu'], index)).code).toBe(2)

  mkdirSync(join(directory, 'data'))
  const text = 'Filename,Size\r\n"/a/b",3\r\n'
  const input = Readable.from([Buffer.from(text.slice(0, 3)), Buffer.from(text.slice(3))])
  expect((await hotpath(['import', '-'], index, { in: input })).code).toBe(0)
  const kept = readdirSync(join(directory, 'data/lists'))
  expect(kept).toEqual([expect.stringMatching(/^input-[0-9a-f]{16}$/)])
  expect(readFileSync(join(directory, 'data/lists', kept[0]!), 'utf8')).toBe(text)
  expect(index.calls.at(-1)).toBe(`import ${join(directory, 'data/lists', kept[0]!)}`)
})

test('export writes the whole file or none', async () => {
  const { code } = await hotpath(['export', 'out.efu'], new FakeIndex(hostile))
  expect(code).toBe(0)
  expect(readList(readFileSync(join(directory, 'out.efu'))).summary).toMatchObject({ rows: hostile.length, badRows: 0 })
  const error = { code: 'UNAVAILABLE', message: 'no', position: Number.NaN, expected: '' }
  expect((await hotpath(['export', 'second.efu'], failing(error))).code).toBe(2)
  expect((await hotpath(['export', 'no/such/directory.efu'], new FakeIndex(hostile))).code).toBe(2)
  expect(existsSync(join(directory, 'second.efu'))).toBe(false)
  expect(readdirSync(directory)).toEqual(['out.efu'])
  const { out } = await hotpath(['export', '-'], new FakeIndex(hostile))
  expect(out).toBe(readFileSync(join(directory, 'out.efu'), 'latin1'))
})

test('config says where each value comes from', async () => {
  const { out, code } = await hotpath(['config', '--port', '99', '--data', directory], new FakeIndex([]))
  expect(code).toBe(0)
  expect(out).toMatch(/^port +99 +--port$/m)
  expect(out).toMatch(/^store\.flush_rows +32768 +default$/m)
  const json = await hotpath(['config', '--json', '--data', directory], new FakeIndex([]))
  expect(JSON.parse(json.out).data).toEqual({ value: directory, origin: 'flag', source: '--data' })
})

/** A change of a page whose rows have these paths; ids are those of `page`. */
function changeOf(removed: number[], changed: readonly Row[], added: readonly Row[]): LiveChange {
  const ids = page(Array.from({ length: 10 }, () => ({ path: '' }))).ids
  const places = (rows: readonly Row[]) => Uint32Array.from(rows, (_, i) => i)
  return new LiveChange(
    {
      ...{ live: 1, total: 3, fuzzyTotal: Number.NaN, clock: 'c2', fresh, partial: false },
      removed: Buffer.concat(removed.map(row => ids.subarray(row * 24, (row + 1) * 24))),
      changed: page(changed),
      changedAt: places(changed),
      added: page(added),
      addedAt: places(added),
    },
    0,
  )
}

const resultOf = (rows: readonly Row[]) => new FakeIndex(rows).search({ query: '' })

/** Runs `hotpath watch` until the script of the index is done. */
async function watched(argv: string[], index: FakeIndex, more: Partial<CommandContext> = {}) {
  const interrupt = new AbortController()
  const { script } = index
  index.script = async handlers => {
    await script(handlers)
    interrupt.abort()
  }
  return hotpath(['watch', 'x', ...argv], index, { interrupted: interrupt.signal, ...more })
}

test('watch prints the hits, then what is removed, changed and added', async () => {
  const index = new FakeIndex([{ path: '/a' }, { path: '/b' }, { path: '/c' }])
  index.script = async handlers => {
    await handlers.onChange(changeOf([2, 9], [{ path: '/a', size: 1 }], []))
    // Row 1 gets another path: a directory above was renamed. Row 2 is new again.
    await handlers.onResync(await resultOf([{ path: '/a', size: 1 }, { path: '/z' }, { path: '/c' }]), 'slow')
    await handlers.onResync(await resultOf([{ path: '/a', size: 1 }]), 'reconnected')
    await handlers.onResync(await resultOf([{ path: '/a', size: 1 }]), 'fresh-instance')
    await handlers.onAway?.()
  }
  const { code, out, err } = await watched([], index)
  expect({ code, out }).toEqual({ code: 0, out: '/a\n/b\n/c\n- /c\n~ /a\n~ /z\n+ /c\n- /z\n- /c\n' })
  expect(err).toBe(
    'hotpath: changes may have been missed; what differs now follows\nhotpath: the index does not answer; waiting for it\n',
  )
  await index.watching?.ended
})

test('watch passes on what it is asked', async () => {
  const index = new FakeIndex(hostile)
  const argv = ['-n', '2', '--sort', 'size-desc', '--under', 'sub', '--wait-clock', '--fuzzy', '--case', 'smart']
  const { err } = await watched(argv, index)
  expect(index.calls).toEqual(['clock'])
  expect(index.requests[0]).toEqual({
    query: 'x',
    limit: 2,
    sort: 'size',
    descending: true,
    under: join(directory, 'sub'),
    minClock: 'now',
    fuzzy: true,
    caseMode: 'smart',
  })
  expect(err).toContain('only the first 2 of 5 hits are watched')
  const every = new FakeIndex(hostile)
  expect((await watched([], every)).err).toBe('')
  expect(every.requests[0]).toMatchObject({ limit: 1_000 })
})

test('watch prints names byte by byte for programs, and nothing that a terminal could obey', async () => {
  const script = async (handlers: WatchHandlers) => handlers.onChange(changeOf([0, 1, 2, 3, 4], hostile.slice(1), []))
  const watching = (argv: string[], isTerminal: boolean) => {
    const index = new FakeIndex(hostile)
    index.script = script
    return watched(argv, index, { isTerminal })
  }
  const raw = (await watching(['-0'], false)).outBytes
  const path = Buffer.from(hostile[1]!.path)
  expect(raw.includes(Buffer.concat([Buffer.of(0), path, Buffer.of(0)]))).toBe(true)
  expect(raw.includes(Buffer.concat([Buffer.from('\0- '), path, Buffer.from('\0')]))).toBe(true)
  for (const argv of [[], ['--ndjson']]) {
    const text = (await watching(argv, true)).outBytes.toString()
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
    expect(text.trimEnd().split('\n')).toHaveLength(2 * hostile.length + hostile.length - 1)
  }
  const lines = (await watching(['--ndjson'], false)).outBytes.toString().trimEnd().split('\n')
  const objects = lines.map(line => JSON.parse(line))
  expect(objects.map(({ change }) => change)).toEqual([
    ...hostile.map(() => 'hit'),
    ...hostile.map(() => 'removed'),
    ...hostile.slice(1).map(() => 'changed'),
  ])
  expect(objects[0]).toMatchObject({ path: '/a/plain.txt', name: 'plain.txt', type: 'file', size: 5 })
})

test('watch ends when nobody reads', async () => {
  const out = new PassThrough()
  const index = new FakeIndex([{ path: '/a' }])
  let isOver = false
  index.script = async handlers => {
    out.destroy(Object.assign(new Error('EPIPE'), { code: 'EPIPE' }))
    while (!isOver) {
      await handlers.onChange(changeOf([], [{ path: '/a' }], []))
      await new Promise(resolve => setImmediate(resolve))
    }
  }
  const { code, err } = await hotpath(['watch', 'x'], index, { out })
  isOver = true
  expect({ code, err }).toEqual({ code: 0, err: '' })
})

test('watch ends with what is wrong', async () => {
  const error = { code: 'SYNTAX', message: 'there is no size "zz"', position: 5, expected: 'a number' }
  const wrong = await hotpath(['watch', 'size:zz'], failing(error))
  expect(wrong).toMatchObject({ code: 2, out: '' })
  expect(wrong.err).toContain('hotpath:   size:zz\nhotpath:        ^')
  const broken = new FakeIndex([])
  broken.script = async () => {
    throw new UnavailableError('closed')
  }
  expect(await hotpath(['watch', 'x'], broken)).toMatchObject({ code: 2, err: 'hotpath: closed\n' })
  for (const argv of [['-0', '--ndjson'], ['-n', '1001'], ['--json'], ['--offset', '1'], ['--sort', 'heat']]) {
    expect(await hotpath(['watch', 'x', ...argv], new FakeIndex([]))).toMatchObject({ code: 2, out: '' })
  }
})

test('help is not an error', async () => {
  const { code, out } = await hotpath(['--help'], new FakeIndex([]))
  expect(code).toBe(0)
  for (const word of ['search', 'watch', 'status', 'rescan', 'import', 'export', 'start', 'index-store'])
    expect(out).toContain(word)
  expect((await hotpath(['search', '--help'], new FakeIndex([]))).code).toBe(0)
})

test('tap shows the traffic of a process, escaped, until it is interrupted', async () => {
  const data = join(directory, 'd')
  const { runtime } = stageDirectories(data)
  mkdirSync(runtime, { recursive: true })
  const hub = new TapHub()
  const identity = { stage: 'store', instance: 'the-store', pid: process.pid } as const
  const control = new ControlServer({
    endpoint: socketEndpoints(runtime)['store-control'],
    identity,
    health: () => ({ state: 'ready', checks: [] }),
    stats: () => [],
    shutdown: () => {},
    tap: hub,
  })
  await control.start()
  const interrupt = new AbortController()
  const text: string[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text.push(chunk.toString())
      if (text.length === 2) interrupt.abort()
      done()
    },
  })
  try {
    const tapping = hotpath(['tap', 'store-ingest', '--data', data], new FakeIndex([]), {
      out: stream,
      interrupted: interrupt.signal,
    })
    await expect.poll(() => hub.active, { timeout: 30_000 }).toBe(true)
    const envelope = encodeEnvelope({
      requestId: 7,
      sender: 'me\u009b',
      deadlineMs: 0,
      body: { type: 'searchRequest', value: searchRequest('a\u001b') },
    })
    hub.record('in', socketEndpoints(runtime)['store-query'], 'p', envelope)
    hub.record('in', socketEndpoints(runtime)['store-ingest'], 'p', envelope)
    hub.record('out', socketEndpoints(runtime)['store-ingest'], 'p', Buffer.from('garbage'))
    expect((await tapping).code).toBe(0)
    expect(text[0]).toMatch(/^\d+\.\d{6} > store-ingest #7 searchRequest /)
    expect(text[1]).toMatch(/^\d+\.\d{6} < store-ingest unreadable, 7 bytes/)
    expect(text.join('')).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
    const unknown = await hotpath(['tap', 'nonsense', '--data', data], new FakeIndex([]))
    expect(unknown.code).toBe(2)
  } finally {
    await control.stop()
    rmSync(runtime, { recursive: true, force: true })
  }
})

test('doctor says what is wrong, and only then fails', async () => {
  const data = join(directory, 'd')
  const { runtime, locks } = stageDirectories(data)
  mkdirSync(data, { mode: 0o700 })
  mkdirSync(locks)
  mkdirSync(runtime, { recursive: true })
  const fine = await hotpath(['doctor', '--data', data], new FakeIndex([]))
  expect(fine.code).toBe(0)
  expect(fine.out).toContain('note  store: does not run')
  // Somebody supervises, so the stages should be there.
  writeFileSync(join(locks, 'supervisor.lock'), `${process.pid}\n`)
  const control = new ControlServer({
    endpoint: socketEndpoints(runtime)['gateway-control'],
    identity: { stage: 'gateway', instance: 'g', pid: process.pid },
    health: () => ({ state: 'degraded', checks: [{ name: 'store', ok: false, detail: 'gone\u001b' }] }),
    stats: () => [],
    shutdown: () => {},
    tap: new TapHub(),
  })
  await control.start()
  try {
    const { code, out } = await hotpath(['doctor', '--data', data], new FakeIndex([]))
    expect(code).toBe(1)
    expect(out).toContain('BAD   store: does not run')
    expect(out).toMatch(/^BAD {3}gateway: degraded, process \d+, up \d+ s; store: gone\\x1b$/m)
  } finally {
    await control.stop()
    rmSync(runtime, { recursive: true, force: true })
  }
})
