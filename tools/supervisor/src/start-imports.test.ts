import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'

// Each library costs the first answer ten milliseconds or more.
it('what starts the stages has loaded no library', () => {
  const start = new URL('../dist/start.js', import.meta.url).href
  const script = `import { Module } from 'node:module'; await import('${start}'); console.log(JSON.stringify(Object.keys(Module._cache)))`
  const loaded: string[] = JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }),
  )
  expect(loaded).toEqual([])
})
