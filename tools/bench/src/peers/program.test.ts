import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { childCpuMs, findProgram, runAccounted, runProgram } from './program.js'

it('finds programs in the search path and runs them to their end', async () => {
  const shell = findProgram('no-such-program', 'sh')
  expect(shell).toMatch(/\/sh$/)
  expect(findProgram('no-such-program')).toBeUndefined()
  const run = await runProgram(shell!, ['-c', 'echo out; exit 3'])
  expect(run).toMatchObject({ exitCode: 3, output: 'out\n' })
  const folder = mkdtempSync(join(tmpdir(), 'hotpath-bench-test-'))
  try {
    await expect(runProgram(join(folder, 'nothing'), [])).rejects.toThrow('ENOENT')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

it('asks the shell for processor time', async () => {
  expect(childCpuMs('0m0.00s 0m0.01s\n1m2.50s 0m0.25s\n')).toBe(62_750)
  expect(childCpuMs('nothing')).toBeNaN()
  const shell = findProgram('sh')!
  const cost = await runAccounted(shell, ['-c', 'i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done; echo noise; exit 3'])
  expect(cost.exitCode).toBe(3)
  expect(cost.cpuMs).toBeGreaterThan(0)
  expect(cost.wallMs).toBeGreaterThan(0)
})
