import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { cpuMsOf, memoryOf, processTree, stageOf } from './process-tree.js'

it('adds up a process and what it started', async () => {
  const child = spawn(process.execPath, ['-e', 'process.stdout.write("up"); process.stdin.resume()'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const closed = once(child, 'close')
  await once(child.stdout, 'data')
  const tree = processTree(process.pid)
  expect(tree[0]).toBe(process.pid)
  expect(tree).toContain(child.pid)
  const own = memoryOf([process.pid])
  const both = memoryOf([process.pid, child.pid!])
  expect(own.anonymousBytes).toBeGreaterThan(1e6)
  expect(both.anonymousBytes).toBeGreaterThan(own.anonymousBytes)
  expect(cpuMsOf(tree)).toBeGreaterThan(0)
  child.stdin.end()
  await closed
  expect(processTree(process.pid)).not.toContain(child.pid)
  expect(memoryOf([child.pid!])).toEqual({ anonymousBytes: 0, pssBytes: 0, fileBytes: 0 })
  expect(stageOf(child.pid!)).toBe('ended')
})

it('names a stage, whatever flags Node.js has before its script', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'hotpath-stage-'))
  try {
    const bundle = join(directory, 'index-store/bundle')
    mkdirSync(bundle, { recursive: true })
    writeFileSync(join(bundle, 'main.js'), 'process.stdout.write("up"); process.stdin.resume()')
    const child = spawn(process.execPath, ['--no-memory-reducer', join(bundle, 'main.js'), '--supervised'])
    const closed = once(child, 'close')
    await once(child.stdout, 'data')
    expect(stageOf(child.pid!)).toBe('index-store')
    child.stdin.end()
    await closed
  } finally {
    rmSync(directory, { recursive: true })
  }
})
