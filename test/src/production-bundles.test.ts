import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'

const APPS = new URL('../../apps/', import.meta.url)

/** The modules that an app is bundled from, by its `build` line: `NAME=MODULE…` for tools/bundle.mjs. */
function entriesOf(app: string): string[] {
  const { scripts } = JSON.parse(readFileSync(new URL(`${app}/package.json`, APPS), 'utf8'))
  const line: string = scripts.build.split('bundle.mjs ')[1] ?? ''
  return line === '' ? [] : line.split(' ').map(entry => pathOf(`${app}/${entry.split('=')[1]}`))
}

function pathOf(path: string): string {
  return fileURLToPath(new URL(path, APPS))
}

/** The modules that get into a bundle, as paths from here. */
async function modulesOf(entryPoints: string[]): Promise<string[]> {
  const { metafile } = await build({
    entryPoints,
    outdir: 'not-written',
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    packages: 'bundle',
    external: ['koffi', 'zeromq', 'roaring', 'roaring-wasm'],
    loader: { '.node': 'empty' },
    metafile: true,
    write: false,
  })
  return Object.keys(metafile.inputs)
}

const bundled = readdirSync(APPS)
  .map(app => ({ app, entries: entriesOf(app) }))
  .filter(({ entries }) => entries.length > 0)

// A program that loads a library of which something outside says where it is would run whatever it is given.
describe('no program can load a driver of tests', () => {
  it('of those that are bundled', () => {
    expect(bundled.map(({ app }) => app)).toEqual(['cli', 'gateway', 'index-store', 'journal-watcher', 'scanner'])
  })

  it.each(bundled)('$app', async ({ entries }) => {
    const modules = await modulesOf(entries)
    const ours = (path: string) => modules.filter(module => module.includes(path))
    expect(ours('packages/platform/dist/windows/kernel32.js')).toHaveLength(1)
    expect(ours('packages/platform/dist/testing/')).toEqual([])
    expect(ours('simulated')).toEqual([])
  })

  it('and it would be seen if one could', async () => {
    const leading = await modulesOf([pathOf('../packages/platform/dist/testing/index.js')])
    expect(leading.filter(module => module.includes('packages/platform/dist/testing/'))).toHaveLength(2)
  })
})
