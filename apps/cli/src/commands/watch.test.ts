import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { LiveChange, type WatchHandlers } from '@hotpath/client'
import { UnavailableError } from '@hotpath/model'
import { expect, test } from 'vitest'
import type { CommandContext } from '../context.js'
import { commandTests } from '../testing/commands.js'
import { FakeIndex, failing, fresh, hostile, page, type Row } from '../testing/fake-index.js'

const cli = commandTests()
const { hotpath } = cli

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
    under: join(cli.directory, 'sub'),
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
