import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const program = fileURLToPath(new URL('../bin/hotpath.mjs', import.meta.url))

let home: string

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'hotpath-main-'))
})

afterAll(() => rmSync(home, { recursive: true }))

function hotpath(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise(resolve => {
    const options = { env: { PATH: process.env.PATH, HOME: home }, cwd: home }
    execFile(process.execPath, [program, ...argv], options, (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err })
    })
  })
}

test('each long-running command has its own help and flags', async () => {
  for (const command of ['start', 'scanner', 'gateway']) {
    const { code, out } = await hotpath(command, '--help')
    expect({ command, code }).toEqual({ command, code: 0 })
    expect(out).toContain(`hotpath ${command} [flags]`)
    expect(out).toContain('--no-watch')
  }
  expect((await hotpath('scanner', '--help')).out).toContain('--dump')
})

test('wrong flags of a long-running command are usage errors', async () => {
  for (const command of ['start', 'scanner']) {
    const { code, err } = await hotpath(command, '--nonsense')
    expect({ command, code }).toEqual({ command, code: 64 })
    expect(err).toContain('--nonsense: there is no such flag')
  }
})

test('a command that asks says that nothing runs', async () => {
  const { code, out, err } = await hotpath('search', 'x', '--data', 'd')
  expect({ code, out }).toEqual({ code: 2, out: '' })
  const dataDir = join(home, 'd')
  // It is not clear what it should index: nothing is started.
  const hint = `start it with \`hotpath start --data ${dataDir} --root DIR\``
  expect(err).toBe(`hotpath: nothing runs for ${JSON.stringify(dataDir)}; ${hint}\n`)
  expect(existsSync(dataDir)).toBe(false)
  const alone = await hotpath('search', 'x', '--data', 'd', '--no-start')
  expect(alone.err).toBe(`hotpath: nothing runs for ${JSON.stringify(dataDir)}\n`)
})

test('a stage runs by itself, and what it prints is data', async () => {
  const { code, out } = await hotpath(
    'scanner',
    '--once',
    '--dump',
    '--root',
    fileURLToPath(new URL('.', import.meta.url)),
  )
  expect(code).toBe(0)
  expect(out).toContain('main.test.ts')
})

test('alone, without a terminal, it says what there is and fails', async () => {
  const { code, out, err } = await hotpath()
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toContain('hotpath search QUERY')
})
