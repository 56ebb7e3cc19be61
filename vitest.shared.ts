import { defineConfig } from 'vitest/config'

/**
 * Test settings of every package. `forks`: native add-ons (roaring, zeromq, koffi) are not safe to unload from a
 * worker thread, so each test file gets a process. `tools/setup.mjs` adds up the result files.
 */
export function nodeTests() {
  return defineConfig({
    test: {
      pool: 'forks',
      include: ['src/**/*.test.ts'],
      exclude: ['dist/**', 'node_modules/**'],
      testTimeout: 60_000,
      hookTimeout: 60_000,
      passWithNoTests: true,
      reporters: ['default', ['json', { outputFile: '.vitest/results.json' }]],
    },
  })
}
