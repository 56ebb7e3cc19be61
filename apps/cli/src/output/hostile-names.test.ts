import { isUtf8 } from 'node:buffer'
import { mkdirSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readList } from '../testing/read-list.js'
import { SmallSystem } from '../testing/small-system.js'

/** Enough for every control byte with every neighbour that is tried. */
const NAMES = 10_000

const PIECES = [
  ...Array.from({ length: 31 }, (_, i) => String.fromCharCode(i + 1)),
  '\u007f',
  '\u001b[31m',
  '\u001b[2J\u001b[H',
  '\u001b]0;title\u0007',
  '\u001b]52;c;YQ==\u001b\\',
  '\u001bP1+r\u001b\\',
  '\u001b[?1049h',
  '\r\n',
  '\n',
  '\n\n-rf',
  '-rf',
  '--json',
  '-0',
  '"',
  '""',
  ',',
  ';',
  '=1+1',
  '\\x1b',
  '\\',
  "'",
  '$(id)',
  '`id`',
  '{path}',
  '%s%n',
  ' ',
  '日本語',
  '🙂',
  'e\u0301',
].map(text => Buffer.from(text))
const CODED = [
  '\u0080',
  '\u009b31m',
  '\u009d',
  '\u202e',
  '\u2066',
  '\u200f',
  '\u061c',
  '\u2028',
  '\ufeff',
  '\u200b',
].map(text => Buffer.from(text))
const INVALID = [
  [0xff],
  [0xc3],
  [0xe2, 0x80],
  [0xf0, 0x9f, 0x99],
  [0xed, 0xa0, 0x80],
  [0xc0, 0x80],
  [0x9b, 0x33, 0x31, 0x6d],
  [0x80],
].map(bytes => Buffer.from(bytes))

/** Names that differ, of up to 255 bytes. */
function hostileNames(): Buffer[] {
  const all = [...PIECES, ...CODED, ...INVALID]
  return Array.from({ length: NAMES }, (_, i) => {
    const parts = [all[i % all.length]!, all[Math.floor(i / all.length) % all.length]!, Buffer.from(`${i}`)]
    // What stands first is the piece, the number or a letter by turns.
    if (i % 3 === 1) parts.unshift(parts.pop()!)
    if (i % 97 === 0) parts.push(Buffer.alloc(255 - Buffer.concat(parts).length, 0x78))
    return Buffer.concat(parts)
  })
}

const system = new SmallSystem()
let paths: string[]

beforeAll(async () => {
  const directories = ['plain', '-rf', '\u001b[31mred', '\u202eltr', 'new\nline'].map(name =>
    Buffer.concat([Buffer.from(`${system.root}/`), Buffer.from(name)]),
  )
  for (const directory of directories) mkdirSync(directory)
  const files = hostileNames().map((name, i) =>
    Buffer.concat([directories[i % directories.length]!, Buffer.from('/'), name]),
  )
  for (const file of files) writeFileSync(file, '')
  paths = files.map(file => file.toString('latin1')).sort()
  await system.finds('file:', NAMES)
}, 120_000)

afterAll(() => system.stop())

/** Paths of an output, as text with a character for each byte. */
async function piped(...flags: string[]): Promise<Buffer> {
  const { code, out, err } = await system.run(['search', 'file:', ...flags])
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return out
}

const bytesOf = ({ path, pathBytes }: { path: string; pathBytes?: string }) =>
  Buffer.from(pathBytes ?? path, pathBytes === undefined ? 'utf8' : 'base64').toString('latin1')

describe('piped', () => {
  test('-0 and lines are exact, byte by byte', async () => {
    const out = await piped('-0', '--sort', 'path')
    expect(out.at(-1)).toBe(0)
    const found = out.toString('latin1').slice(0, -1).split('\0')
    expect(found.toSorted()).toEqual(paths)
    const lines = await piped('--sort', 'path')
    expect(lines.equals(Buffer.from(out.map(byte => (byte === 0 ? 0x0a : byte))))).toBe(true)
    const template = await piped('--sort', 'path', '--format', '{dir}/{name}', '-0')
    expect(template.equals(out)).toBe(true)
  })

  test('JSON in both forms is text without controls, and gives the bytes back', async () => {
    const lines = (await piped('--ndjson')).toString().trimEnd().split('\n')
    const whole = (await piped('--json')).toString()
    for (const text of [whole, ...lines])
      expect(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/.test(text)).toBe(false)
    expect(lines.map(line => bytesOf(JSON.parse(line))).sort()).toEqual(paths)
    expect(JSON.parse(whole).hits.map(bytesOf).sort()).toEqual(paths)
  })

  test.each(['--csv', '--efu'])('%s can be read back, name by name', async flag => {
    const { summary, names } = readList(await piped(flag))
    expect(summary).toMatchObject({ rows: NAMES, badRows: 0 })
    const expected = new Set(paths.map(path => path.slice(path.lastIndexOf('/') + 1)))
    const found = new Set(names.map(name => name.toString('latin1')))
    for (const name of expected) if (!found.has(name)) throw new Error(`${JSON.stringify(name)} is missing`)
  })
})

test.each([
  ['--color', 'always'],
  ['--color', 'never'],
  ['--efu'],
  ['--ndjson'],
  ['--json'],
  ['--format', '{path}\\t{size}'],
])('no control byte of a name reaches a terminal with %s %s', async (...flags) => {
  const out = await system.runOnTerminal(['search', 'file:', ...flags])
  expect(isUtf8(out)).toBe(true)
  const text = out.toString().replaceAll('\r\n', '\n')
  const shown = flags[1] === 'always' ? text.replaceAll(/\u001b\[(0|34|1;31)m/g, '') : text
  const tab = flags[0] === '--format' ? '\t' : ''
  const found = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/.exec(
    tab === '' ? shown : shown.replaceAll(tab, ''),
  )
  expect(found && shown.slice(found.index - 20, found.index + 20)).toBeNull()
  const heads = flags[0] === '--csv' || flags[0] === '--efu' ? 1 : flags[0] === '--json' ? 2 : 0
  expect(shown.trimEnd().split('\n')).toHaveLength(NAMES + heads)
})
