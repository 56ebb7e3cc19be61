import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WrongKeyError } from './database-key.js'
import { readKey } from './key-source.js'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hotpath-key-'))
})

afterEach(() => rmSync(directory, { recursive: true }))

async function textOf(work: Promise<Uint8Array>): Promise<string> {
  return Buffer.from(await work).toString('latin1')
}

test('reads a key from a file, a variable and a command, without the line break at its end', async () => {
  const file = join(directory, 'key')
  for (const [content, key] of [
    ['swordfish', 'swordfish'],
    ['sword fish\r\n', 'sword fish'],
    ['swordfish\n\n', 'swordfish\n'],
  ] as const) {
    writeFileSync(file, content)
    expect(await textOf(readKey({ file }))).toBe(key)
  }
  expect(await textOf(readKey({ env: 'A_KEY' }, { A_KEY: 'swordfish' }))).toBe('swordfish')
  expect(await textOf(readKey({ command: [process.execPath, '-p', '"sword" + process.argv[1]', 'fish'] }))).toBe(
    'swordfish',
  )
})

test('says why there is no key, and nothing of what was read', async () => {
  const empty = join(directory, 'empty')
  writeFileSync(empty, '\n')
  const long = join(directory, 'long')
  writeFileSync(long, 'swordfish'.repeat(1_000))
  const failing = {
    command: [process.execPath, '-e', 'console.log("swordfish"); console.error("swordfish"); process.exit(3)'],
  }
  for (const [source, reason] of [
    [{ file: join(directory, 'none') }, 'ENOENT'],
    [{ file: empty }, 'is empty'],
    [{ file: long }, 'is longer than 4096 bytes'],
    [{ env: 'NO_KEY' }, 'the variable NO_KEY, which should hold the key, is not set'],
    [failing, 'failed: exit code 3'],
    [{ command: [join(directory, 'none')] }, 'failed: ENOENT'],
  ] as const) {
    const error = await readKey(source, {}).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(WrongKeyError)
    expect(String(error)).toContain(reason)
    expect(String(error)).not.toContain('swordfish')
  }
})
