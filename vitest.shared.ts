import { defineConfig } from 'vitest/config'

/**
 * Test settings of every package. `forks`: native add-ons (roaring, zeromq, koffi) are not safe to unload from a
 * worker thread. The files of a package share a process and what they import, which a process for each file loaded 225
 * times, two fifths of the processor time of `packages/index-format`: a test leaves nothing behind that another could see. `tools/setup.mjs` adds
 * up the result files.
 */
export function nodeTests() {
  return defineConfig({
    test: {
      pool: 'forks',
      isolate: false,
      // As many of them run as there are cores: helping threads would only take turns with them (a fifth less processor time for the language model).
      execArgv: ['--single-threaded-gc'],
      include: ['src/**/*.test.ts'],
      exclude: ['dist/**', 'node_modules/**'],
      // What is built is loaded as programs load it: transformed, it takes two seconds of each package, and each use of what is imported a call.
      server: { deps: { external: [/\/dist\/.*\.js$/] } },
      testTimeout: 60_000,
      hookTimeout: 60_000,
      // What is waited for comes as soon as it can; only a busy machine needs more than a moment.
      expect: { poll: { timeout: 30_000 } },
      passWithNoTests: true,
      reporters: ['default', ['json', { outputFile: '.vitest/results.json' }]],
    },
  })
}
