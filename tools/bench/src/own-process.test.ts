import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { platform } from 'node:os'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'
import { findProgram } from './peers/program.js'

const COMPILED = new URL('../dist/own-process.js', import.meta.url).href

/** Neither gone nor waiting for its parent to take notice. */
function runs(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

it.runIf(platform() === 'linux' && findProgram('setpriv') !== undefined)(
  'what was started ends with a process that is killed',
  async () => {
    const script = `
      const { spawnOwn } = await import(${JSON.stringify(COMPILED)})
      const child = spawnOwn('sleep', ['600'], { stdio: 'ignore' })
      child.once('spawn', () => console.log(child.pid))`
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string]
    const pid = Number(line)
    try {
      await expect.poll(() => readFileSync(`/proc/${pid}/comm`, 'utf8')).toBe('sleep\n')
      parent.kill('SIGKILL')
      await expect.poll(() => runs(pid), { timeout: 10_000 }).toBe(false)
    } finally {
      parent.kill('SIGKILL')
      if (runs(pid)) process.kill(pid, 'SIGKILL')
    }
  },
)
