import { execFile } from 'node:child_process'

export interface SystemctlResult {
  /** Undefined: it could not be run. */
  readonly exitCode: number | undefined
  readonly output: string
  /** Why it failed, in one line. */
  readonly problem: string
}

/** Longer than a first start takes to be ready. */
const TIMEOUT_MS = 120_000

/** Runs systemctl for the manager of this user, or of the system. Never rejects. */
export function systemctl(isSystem: boolean, ...argv: readonly string[]): Promise<SystemctlResult> {
  return new Promise(resolve => {
    execFile('systemctl', scoped(isSystem, argv), { timeout: TIMEOUT_MS }, (error, output, errors) => {
      const exitCode = error === null ? 0 : typeof error.code === 'number' ? error.code : undefined
      const problem = errors.trim().split('\n')[0] || (error?.message ?? '')
      resolve({ exitCode, output: output.trim(), problem })
    })
  })
}

/** The same as a person types it. */
export function systemctlCommand(isSystem: boolean, ...argv: readonly string[]): string {
  return ['systemctl', ...scoped(isSystem, argv)].join(' ')
}

function scoped(isSystem: boolean, argv: readonly string[]): string[] {
  return isSystem ? [...argv] : ['--user', ...argv]
}
