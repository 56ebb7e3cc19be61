import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { replaceFile, replaceFileSync, whileHeld } from './replace-file.js'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'platform-replace-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

function failure(code: string): Error {
  return Object.assign(new Error(code), { code })
}

describe('replacing a file', () => {
  it('leaves the new content under the name, and says what is missing', async () => {
    const [from, to] = [join(dir, 'a'), join(dir, 'b')]
    for (const replace of [replaceFile, replaceFileSync]) {
      writeFileSync(from, 'new')
      writeFileSync(to, 'old')
      await replace(from, to)
      expect([readFileSync(to, 'utf8'), existsSync(from)]).toEqual(['new', false])
      await expect((async () => replace(from, to))()).rejects.toMatchObject({ code: 'ENOENT' })
    }
  })

  it('is tried again while somebody holds the file, and as often as there are waits', async () => {
    let tries = 0
    const heldFor = (times: number, code: string) => async () => {
      if (++tries <= times) throw failure(code)
    }
    for (const code of ['EPERM', 'EACCES', 'EBUSY']) {
      tries = 0
      await whileHeld(heldFor(2, code), [1, 1])
      expect(tries).toBe(3)
      tries = 0
      await expect(whileHeld(heldFor(3, code), [1, 1])).rejects.toMatchObject({ code })
      expect(tries).toBe(3)
    }
    tries = 0
    await expect(whileHeld(heldFor(1, 'ENOSPC'), [1, 1])).rejects.toMatchObject({ code: 'ENOSPC' })
    expect(tries).toBe(1)
  })
})
