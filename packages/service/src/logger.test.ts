import { UnavailableError } from '@hotpath/model'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createLogger, type LogLevel, toJsonLine } from './logger.js'
import { escapeBytesForTerminal, escapeForTerminal } from './terminal-text.js'

function record(level: LogLevel) {
  const lines: string[] = []
  const log = createLogger({ level, stage: 'store', write: line => lines.push(line), now: () => new Date(0) })
  return { lines, log }
}

test('a line holds time, level, stage, component, event and fields', () => {
  const { lines, log } = record('debug')
  log.child('store.wal').info('synced', { bytes: 5, event: 'cannot be replaced' })
  expect(lines).toEqual([
    '{"time":"1970-01-01T00:00:00.000Z","level":"info","stage":"store","component":"store.wal","event":"synced","bytes":5}\n',
  ])
})

test('every line has a component: without another name, that of the stage', () => {
  const { lines, log } = record('info')
  log.info('started')
  expect(JSON.parse(lines[0]!)).toMatchObject({ stage: 'store', component: 'store' })
})

test('what is below the level is not written', () => {
  const { lines, log } = record('warn')
  log.debug('a')
  log.info('b')
  log.warn('c')
  log.error('d')
  expect(lines.map(line => JSON.parse(line).event)).toEqual(['c', 'd'])
})

test('errors come with code, stack and causes', () => {
  const { lines, log } = record('info')
  log.error('failed', { error: new UnavailableError('gone', { cause: new TypeError('why') }) })
  const { error } = JSON.parse(lines[0]!)
  expect(error).toMatchObject({
    name: 'UnavailableError',
    message: 'gone',
    code: 'UNAVAILABLE',
    cause: { message: 'why' },
  })
  expect(error.stack).toContain('logger.test')
})

test('odd values do no harm', () => {
  const cycle: Record<string, unknown> = { a: 1 }
  cycle.self = cycle
  const line = JSON.parse(
    toJsonLine({
      cycle,
      big: 2n ** 70n,
      nan: Number.NaN,
      bytes: Buffer.from('a\xff', 'latin1'),
      map: new Map([[1, 2]]),
    }),
  )
  expect(line).toEqual({
    cycle: { a: 1, self: '[cycle or too deep]' },
    big: '1180591620717411303424',
    nan: 'NaN',
    bytes: { bytes: 2, text: 'a\ufffd' },
    map: { 1: 2 },
  })
  const shared = { x: 1 }
  expect(JSON.parse(toJsonLine({ a: shared, b: shared }))).toEqual({ a: { x: 1 }, b: { x: 1 } })
  expect(toJsonLine({ text: 'x'.repeat(100_000) }).length).toBeLessThan(9_000)
})

test('no text in a field can break the line or act on a terminal', () => {
  const unsafe = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      const line = toJsonLine({ text, [text]: 1 })
      expect(line).not.toMatch(unsafe)
      expect(JSON.parse(line).text === text || text === 'text').toBe(true)
      expect(escapeForTerminal(text)).not.toMatch(unsafe)
    }),
  )
})

test('bytes are shown as text where they are text', () => {
  expect(escapeBytesForTerminal(Buffer.from('häß\u001b[1m\\'))).toBe('häß\\x1b[1m\\')
  expect(escapeBytesForTerminal(Buffer.from([0x61, 0xc3, 0x62, 0xff, 0xe2, 0x82, 0xac, 0xe2, 0x82]))).toBe(
    'a\\xc3b\\xff€\\xe2\\x82',
  )
  fc.assert(
    fc.property(fc.uint8Array(), bytes => {
      const text = escapeBytesForTerminal(bytes)
      expect(text).toBe(escapeForTerminal(text))
    }),
  )
})
