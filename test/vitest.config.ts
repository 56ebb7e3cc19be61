import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { nodeTests } from '../vitest.shared.ts'

/** Files of one test that takes minutes. */
const LONG = /\/language-model-\d\.test\.ts$/

/** Small files come last otherwise, and the longest tests would run when nothing is left to run beside them. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isLong = ({ moduleId }: TestSpecification): boolean => LONG.test(moduleId)
    return [...sorted.filter(isLong), ...sorted.filter(file => !isLong(file))]
  }
}

const config = nodeTests()
// Two that compute on two cores, and one beside them that mostly waits: for processes, kills, clocks.
config.test = {
  ...config.test,
  sequence: { sequencer: LongestFirst },
  maxWorkers: 3,
  // Each wait has a bound of its own. Half a minute is what some take already on two cores with other work.
  testTimeout: 240_000,
  hookTimeout: 120_000,
}

export default config
