import { mergeConfig } from 'vitest/config'
import { nodeTests } from '../../vitest.shared.ts'

export default mergeConfig(nodeTests(), {
  test: {
    globalSetup: ['src/testing/chromium-setup.ts'],
    // What is waited for comes as soon as it can; only a busy machine needs more than a moment.
    expect: { poll: { timeout: 30_000, interval: 10 } },
  },
})
