import { defineConfig } from 'vite'

/** The page: a few files without anything inline, as the content policy of the gateway wants them. */
export default defineConfig({
  build: {
    outDir: 'dist/page',
    target: 'es2022',
    // Data addresses are refused by the policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  oxc: { jsx: { runtime: 'automatic' } },
})
