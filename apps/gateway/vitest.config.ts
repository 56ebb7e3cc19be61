import { mergeConfig } from 'vitest/config'
import { nodeTests } from '../../vitest.shared.ts'

export default mergeConfig(nodeTests(), {
  test: {
    globalSetup: ['src/testing/chromium-setup.ts'],
    expect: { poll: { interval: 10 } },
  },
})
