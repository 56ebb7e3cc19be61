import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { FILE_SYSTEMS, type FileSystemName, TestMounts } from './mounts.js'

const mounts = TestMounts.open()
const available: [FileSystemName, string][] = []
if (typeof mounts === 'string') console.log(`not tested here: ${mounts}`)
else
  for (const name of FILE_SYSTEMS) {
    const mounted = mounts.mount(name, {
      prepare: directory => {
        mkdirSync(join(directory, 'd'))
        writeFileSync(join(directory, 'd/file'), name)
      },
    })
    if ('problem' in mounted) console.log(`not tested here: ${mounted.problem}`)
    else available.push([name, mounted.directory])
  }

afterAll(() => {
  if (typeof mounts !== 'string') mounts.close()
})

const TYPES: Record<FileSystemName, number> = {
  ext4: 0xef53,
  xfs: 0x58465342,
  btrfs: 0x9123683e,
  tmpfs: 0x01021994,
  overlay: 0x794c7630,
  'overlay-apart': 0x794c7630,
  fuse: 0x65735546,
}

describe.each(available.filter(([name]) => name === 'ext4' || name === 'tmpfs'))('%s', (name, directory) => {
  it('is unmounted and mounted again, with what is on its disk', () => {
    const all = mounts as TestMounts
    expect(all.unmount(directory)).toBeUndefined()
    expect(readdirSync(directory)).toEqual([])
    expect(all.mountAgain(directory)).toBeUndefined()
    expect(existsSync(join(directory, 'd/file'))).toBe(name === 'ext4')
    mkdirSync(join(directory, 'd'), { recursive: true })
    writeFileSync(join(directory, 'd/file'), name)
  })
})

describe.each(available)('%s', (name, directory) => {
  it('is mounted with what was prepared, and can be written', () => {
    expect(statfsSync(directory).type).toBe(TYPES[name])
    expect(readFileSync(join(directory, 'd/file'), 'utf8')).toBe(name)
    writeFileSync(join(directory, 'd/file'), 'more', { flag: 'a' })
    expect(statSync(join(directory, 'd/file')).size).toBe(name.length + 4)
  })
})

describe.runIf(typeof mounts !== 'string')('mounts', () => {
  it('of a program that serves FUSE show an empty directory', () => {
    const mounted = (mounts as TestMounts).mount('fuse')
    if ('problem' in mounted) throw new Error(mounted.problem)
    expect(readdirSync(mounted.directory)).toEqual([])
    expect(statfsSync(mounted.directory).type).toBe(TYPES.fuse)
  })

  it('of a killed process are cleared away by the next one', async () => {
    const module = fileURLToPath(new URL('../dist/mounts.js', import.meta.url))
    const script = `
      import { TestMounts } from ${JSON.stringify(module)}
      console.log(TestMounts.open().mount('overlay').directory)
      setInterval(() => {}, 1_000)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    const directory = line.toString().trim()
    expect(readFileSync('/proc/self/mounts', 'utf8')).toContain(directory)
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
    const next = TestMounts.open() as TestMounts
    next.close()
    expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(directory)
    expect(existsSync(dirname(dirname(directory)))).toBe(false)
  })
})
