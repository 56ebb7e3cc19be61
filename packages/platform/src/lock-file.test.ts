import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BusyError } from '@hotpath/model'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { acquireLock } from './lock-file.js'

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'platform-lock-'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const openFiles = () => readdirSync('/proc/self/fd').length

/** A process that takes the lock, says so, and then waits to be killed. */
async function lockInChild(path: string) {
  const library = new URL('../dist/lock-file.js', import.meta.url).href
  const child = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `const { acquireLock } = await import(${JSON.stringify(library)})
       globalThis.held = acquireLock(${JSON.stringify(path)})
       process.stdout.write('held')
       process.stdin.resume()`,
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  await once(child.stdout, 'data')
  return child
}

describe('acquireLock', () => {
  it('is held where nothing can be written', () => {
    acquireLock('/dev/full').release()
    acquireLock('/dev/full').release()
  })

  it('is held once, tells by whom, and is free again after release', () => {
    const path = join(dir, 'a.lock')
    const lock = acquireLock(path)
    expect(readFileSync(path, 'utf8')).toBe(`${process.pid}\n`)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(() => acquireLock(path)).toThrow(BusyError)
    expect(() => acquireLock(path)).toThrow(new RegExp(`process ${process.pid}`))
    lock.release()
    lock.release()
    expect(readFileSync(path, 'utf8')).toBe('')
    acquireLock(path).release()
  })

  it('is not blocked by a file that a killed process left, but by a living one', async () => {
    const path = join(dir, 'b.lock')
    const child = await lockInChild(path)
    expect(() => acquireLock(path)).toThrow(new RegExp(`process ${child.pid}`))
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(existsSync(path)).toBe(true)
    acquireLock(path).release()
  })

  it('takes over a file with strange content', () => {
    const path = join(dir, 'c.lock')
    writeFileSync(path, 'x'.repeat(1000))
    const lock = acquireLock(path)
    expect(readFileSync(path, 'utf8')).toBe(`${process.pid}\n`)
    lock.release()
  })

  it('takes the lock of the file that has the name now', () => {
    const path = join(dir, 'd.lock')
    const orphan = acquireLock(path)
    rmSync(path)
    const lock = acquireLock(path)
    expect(() => acquireLock(path)).toThrow(BusyError)
    orphan.release()
    expect(() => acquireLock(path)).toThrow(BusyError)
    lock.release()
  })

  it('leaves no descriptor open, whether it succeeds or fails', () => {
    const path = join(dir, 'e.lock')
    const before = openFiles()
    const lock = acquireLock(path)
    for (let i = 0; i < 20; i++) expect(() => acquireLock(path)).toThrow(BusyError)
    lock.release()
    expect(openFiles()).toBe(before)
    expect(() => acquireLock(join(dir, 'no', 'such'))).toThrow(/ENOENT/)
  })
})
