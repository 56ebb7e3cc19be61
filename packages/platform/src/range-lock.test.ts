import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isRangeLocked, tryLockRange, unlockRange } from './range-lock.js'

let directory: string
let path: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hotpath-lock-'))
  path = join(directory, 'file')
  writeFileSync(path, '')
})

afterEach(() => rmSync(directory, { recursive: true }))

/** Holds or tries a classic lock of bytes 100 … 109 in another process. */
const HOLDER = `
import fcntl, sys
file = open(sys.argv[1], 'r+b')
def attempt(kind):
    try:
        fcntl.lockf(file, kind | fcntl.LOCK_NB, 10, 100)
        return 'held'
    except OSError:
        return 'refused'
kinds = {'shared': fcntl.LOCK_SH, 'exclusive': fcntl.LOCK_EX, 'none': fcntl.LOCK_UN}
for line in sys.stdin: print(attempt(kinds[line.strip()]), flush=True)
`

async function withHolder(work: (ask: (kind: string) => Promise<string>) => Promise<void>): Promise<void> {
  const child = spawn('python3', ['-c', HOLDER, path], { stdio: ['pipe', 'pipe', 'inherit'] })
  // Python may write a line and its end in two pieces.
  const answers = createInterface({ input: child.stdout })
  try {
    await work(async kind => {
      child.stdin.write(`${kind}\n`)
      const [answer] = (await once(answers, 'line')) as [string]
      return answer
    })
  } finally {
    const ended = once(child, 'exit')
    child.stdin.end()
    await ended
  }
}

test('a shared lock of a file that is open for reading keeps exclusive ones of other processes away', async () => {
  const fd = openSync(path, 'r')
  await withHolder(async ask => {
    expect(await ask('exclusive')).toBe('held')
    expect(isRangeLocked(fd, 105, 1)).toBe(true)
    expect(isRangeLocked(fd, 110, 1)).toBe(false)
    expect(tryLockRange(fd, 100, 1)).toBe(false)
    expect(await ask('shared')).toBe('held')
    expect(isRangeLocked(fd, 100, 10)).toBe(false)
    expect(tryLockRange(fd, 100, 1)).toBe(true)
    expect(await ask('exclusive')).toBe('refused')
    unlockRange(fd, 100, 1)
    expect(await ask('exclusive')).toBe('held')
  })
  closeSync(fd)
})

test('a lock stays when another descriptor of the file is closed', async () => {
  const fd = openSync(path, 'r')
  await withHolder(async ask => {
    expect(tryLockRange(fd, 100, 10)).toBe(true)
    closeSync(openSync(path, 'r'))
    expect(await ask('exclusive')).toBe('refused')
    closeSync(fd)
    expect(await ask('exclusive')).toBe('held')
  })
})
