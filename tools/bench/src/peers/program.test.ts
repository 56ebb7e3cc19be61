import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { findProgram, runProgram } from './program.js'

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
