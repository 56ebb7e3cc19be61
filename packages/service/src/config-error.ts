import { HotpathError } from '@hotpath/model'

/** One value that cannot be used. `where` is what the person wrote: a flag, a variable, or a key of a file. */
export interface ConfigProblem {
  readonly where: string
  readonly message: string
}

/** The configuration cannot be used. Holds every problem, not only the first. */
export class ConfigError extends HotpathError {
  readonly code = 'CONFIG'
  constructor(
    readonly problems: readonly ConfigProblem[],
    options?: { cause?: unknown },
  ) {
    super(problems.map(problem => `${problem.where}: ${problem.message}`).join('\n'), options)
  }
}
