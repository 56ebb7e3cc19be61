import { chmod, type FileHandle, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createToken, publishToken, tokenVerifier, writeTokenFile } from './session-token.js'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hotpath-token-'))
})
afterEach(async () => {
  await rm(directory, { recursive: true })
})

describe('the token', () => {
  it('is new each time and holds 256 bits', () => {
    const tokens = Array.from({ length: 100 }, createToken)
    expect(new Set(tokens).size).toBe(100)
    expect(tokens.every(token => Buffer.from(token, 'base64url').length === 32)).toBe(true)
  })

  it('is recognised whole only', () => {
    const token = createToken()
    const isToken = tokenVerifier(token)
    expect(isToken(token)).toBe(true)
    const wrong = ['', token.slice(1), `${token}=`, `${token} `, token.toLowerCase(), createToken()]
    expect(wrong.some(isToken)).toBe(false)
  })

  it('is written for its owner alone, over an older one, and leaves nothing else', async () => {
    await writeFile(join(directory, 'token'), 'old', { mode: 0o644 })
    const file = await writeTokenFile(directory, 'secret')
    expect(await readFile(file, 'utf8')).toBe('secret\n')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(await readdir(directory)).toEqual(['token'])
  })

  it('is that of the last run where the disk takes nothing, if nobody else could read it', async () => {
    const former = await publishToken(directory)
    const some = await open(join(directory, 'token'))
    const handles: FileHandle = Object.getPrototypeOf(some)
    await some.close()
    const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC', syscall: 'write' })
    const write = vi.spyOn(handles, 'writeFile').mockRejectedValue(full)
    try {
      expect(await publishToken(directory)).toBe(former)
      expect(await readdir(directory)).toEqual(['token'])
      await chmod(join(directory, 'token'), 0o640)
      await expect(publishToken(directory)).rejects.toBe(full)
      await rm(join(directory, 'token'))
      await expect(publishToken(directory)).rejects.toBe(full)
    } finally {
      write.mockRestore()
    }
    expect(await publishToken(directory)).not.toBe(former)
  })

  it('is not written where it cannot be', async () => {
    await expect(writeTokenFile(join(directory, 'absent'), 'secret')).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
