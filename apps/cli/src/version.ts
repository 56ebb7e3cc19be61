import { createRequire } from 'node:module'

/** Version of the program, from the package. */
export const VERSION: string = createRequire(import.meta.url)('../package.json').version
