import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'

const MODULE = new URL('../dist/index.js', import.meta.url).href

/** In a process of its own: it cannot be taken back. As another user, who owns less of what /proc shows of such a process. */
const PROGRAM = `
import { readdirSync, readFileSync } from 'node:fs'
import { forbidCoreDumps, leavesCoreDumps, processMemory } from '${MODULE}'
if (process.getuid() === 0) process.setuid(65534)
const before = leavesCoreDumps()
forbidCoreDumps()
const limits = readFileSync('/proc/self/limits', 'latin1').length
console.log(JSON.stringify([before || process.getuid() !== 0, leavesCoreDumps(), processMemory().residentBytes > 0, readdirSync('/proc/self/fd').length > 0, limits > 0]))
`

test('a process that leaves no core dump still reads what /proc says of itself', () => {
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', PROGRAM], { encoding: 'utf8' })
  expect(JSON.parse(out)).toEqual([true, false, true, true, true])
})
