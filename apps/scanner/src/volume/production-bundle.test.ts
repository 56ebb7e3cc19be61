import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect, it } from 'vitest'

const dist = (path: string) => fileURLToPath(new URL(`../../dist/${path}`, import.meta.url))

/** The modules that get into the bundle of a program, as paths from here. */
async function modulesOf(...entryPoints: string[]): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: entryPoints.map(dist),
    outdir: dist('not-written'),
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    packages: 'bundle',
    external: ['koffi', 'zeromq', 'roaring'],
    metafile: true,
    write: false,
  })
  return Object.keys(metafile.inputs)
}

// A program that loads a library of which something outside says where it is would run whatever it is given.
it('no program can load a driver of tests', async () => {
  const entries = ['main.js', 'walk/walk-worker.js', 'check/check-worker.js', 'volume/table-worker.js']
  const modules = await modulesOf(...entries, 'volume/journal-worker.js')
  const ours = (path: string) => modules.filter(module => module.includes(path))
  expect(ours('packages/platform/dist/windows/kernel32.js')).toHaveLength(1)
  expect(ours('/testing/')).toEqual([])
  expect(ours('simulated')).toEqual([])
  // It would be seen if one could.
  const leading = await modulesOf('../../../packages/platform/dist/testing/index.js')
  expect(leading.filter(module => module.includes('/testing/'))).toHaveLength(2)
})
