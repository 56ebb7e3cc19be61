import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { Fanotify, fanotifyInit, fanotifyMarkFileSystem, fanotifyUnmarkFileSystem } from './fanotify.js'
import { fanotifyFollowFileSystem, isFanotifyFollowed, parseFanotifyMarks } from './fanotify-marks.js'

const directory = new Uint8Array(realpathSync(mkdtempSync(join(tmpdir(), 'platform-marks-')), { encoding: 'buffer' }))
const fds: number[] = []
afterEach(() => {
  for (const fd of fds.splice(0)) closeSync(fd)
})
afterAll(() => rmSync(Buffer.from(directory), { recursive: true, force: true }))

function problemOf(work: () => void): string {
  try {
    work()
    return ''
  } catch (error) {
    return String(error)
  }
}

const problem = problemOf(() => {
  const fd = fanotifyInit({ unlimited: true })
  try {
    fanotifyFollowFileSystem(fd, directory)
  } finally {
    closeSync(fd)
  }
})
if (problem !== '') console.log(`marks of file systems are not tested here: ${problem}`)

describe('parseFanotifyMarks', () => {
  it('takes marks of file systems and no others', () => {
    const text = `pos:\t0
flags:\t02004002
fanotify flags:e33 event-flags:8000
fanotify ino:1 sdev:1b mflags:0 mask:100 ignored_mask:0 fhandle-bytes:8 fhandle-type:1 f_handle:0100
fanotify mnt_id:17 mflags:0 mask:100 ignored_mask:0
fanotify sdev:fe00000 mflags:0 mask:8000180 ignored_mask:0
fanotify sdev:1a mflags:0 mask:58000100 ignored_mask:0
`
    expect([...parseFanotifyMarks(text)]).toEqual([
      [0xfe00000, 0x8000180],
      [0x1a, 0x58000100],
    ])
    expect(parseFanotifyMarks('').size).toBe(0)
  })
})

describe.runIf(problem === '')('a marked file system', () => {
  it('is seen as followed only with the whole mask, by whoever has the group', () => {
    const fd = fanotifyInit({ unlimited: true })
    fds.push(fd)
    expect(isFanotifyFollowed(fd, directory)).toBe(false)
    fanotifyMarkFileSystem(fd, directory, Fanotify.create | Fanotify.onDirectory)
    expect(isFanotifyFollowed(fd, directory)).toBe(false)
    const mask = fanotifyFollowFileSystem(fd, directory)
    expect(isFanotifyFollowed(fd, directory)).toBe(true)
    const module = fileURLToPath(new URL('../dist/index.js', import.meta.url))
    const script = `const { isFanotifyFollowed } = await import(${JSON.stringify(module)})
      process.stdout.write(process.getuid() + ' ' + isFanotifyFollowed(3, Buffer.from(${JSON.stringify(Buffer.from(directory).toString())})))`
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      uid: 65_534,
      gid: 65_534,
      stdio: ['ignore', 'pipe', 'pipe', fd],
      encoding: 'utf8',
    })
    expect(stderr + stdout).toBe('65534 true')
    fanotifyUnmarkFileSystem(fd, directory, mask)
    expect(isFanotifyFollowed(fd, directory)).toBe(false)
  })
})
