import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'

/** Runs in a process of its own: what a thread gave up it does not get back. */
const SCRIPT = `
import { readFileSync } from 'node:fs'
import { Worker, isMainThread, parentPort } from 'node:worker_threads'
import { createRequire } from 'node:module'
import { takeIdlePriority } from ${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)}
const koffi = createRequire(${JSON.stringify(import.meta.url)})('koffi')
const ioprioGet = koffi.load(null).func('long syscall(long call, long which, long who)')
const GET = { x64: 252, arm64: 31 }[process.arch]
const states = () => {
  const stat = readFileSync('/proc/thread-self/stat', 'utf8')
  return { policy: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[38]), io: ioprioGet(GET, 1, 0) >> 13 }
}
if (isMainThread) {
  const before = states()
  new Worker(new URL(import.meta.url)).once('message', worker =>
    console.log(JSON.stringify({ before, worker, after: states() })))
} else {
  const refused = takeIdlePriority()
  parentPort.postMessage({ ...states(), refused })
}
`

it('lowers the calling thread, and it alone', () => {
  const url = `data:text/javascript,${encodeURIComponent(SCRIPT)}`
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', `await import(${JSON.stringify(url)})`], {
    encoding: 'utf8',
  })
  const { before, worker, after } = JSON.parse(output)
  if (worker.refused.length > 0) console.log(`idle priority is refused here: ${worker.refused.join(', ')}`)
  expect(worker.policy).toBe(worker.refused.some((text: string) => text.startsWith('sched')) ? before.policy : 5)
  expect(worker.io).toBe(worker.refused.some((text: string) => text.startsWith('ioprio')) ? before.io : 3)
  expect(after).toEqual(before)
  expect(before.policy).not.toBe(5)
})
