import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FollowSpec } from '../rows/database-set.js'

/** Beside the data of what is followed only for as long as somebody asks: what he asked for, as JSON. The key is in none of it. */
const FILE = 'ad-hoc'

export function keepAdHocSpec(directory: string, spec: FollowSpec): void {
  writeFileSync(join(directory, FILE), JSON.stringify(spec), { mode: 0o600 })
}

/** Undefined: it is not followed for somebody. 'unreadable': it was, and nobody can say how. */
export function adHocSpecOf(directory: string): FollowSpec | 'unreadable' | undefined {
  let text: string
  try {
    text = readFileSync(join(directory, FILE), 'utf8')
  } catch {
    return undefined
  }
  try {
    const spec: unknown = JSON.parse(text)
    return isSpec(spec) ? spec : 'unreadable'
  } catch {
    return 'unreadable'
  }
}

/** The data stays: the configuration names the database now. */
export function forgetAdHocSpec(directory: string): void {
  rmSync(join(directory, FILE), { force: true })
}

function isSpec(value: unknown): value is FollowSpec {
  if (typeof value !== 'object' || value === null) return false
  const { path, tables, audit, keyFile } = value as Record<string, unknown>
  const areTables = Array.isArray(tables) && tables.every(table => typeof table === 'string')
  return (
    typeof path === 'string' && areTables && typeof audit === 'boolean' && /^(string|undefined)$/.test(typeof keyFile)
  )
}
